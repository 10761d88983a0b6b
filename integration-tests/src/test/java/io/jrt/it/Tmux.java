package io.jrt.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/** A real terminal with a shell in it: a tmux server of its own, typed into and looked at. */
final class Tmux implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final Path socket;

  private Tmux(Path socket) {
    this.socket = socket;
  }

  /** Opens a terminal whose shell finds {@code jrt} and talks to that daemon. */
  static Tmux open(Daemon daemon, int columns, int rows) {
    String start =
        "JRT_SOCKET=%s PATH=%s:$PATH PS1='host> ' exec bash --norc"
            .formatted(daemon.socket(), Daemon.programs());
    return open(daemon.home(), start, columns, rows);
  }

  /** Opens a terminal for a command that becomes a shell with the prompt {@code host>}. */
  static Tmux open(Path directory, String start, int columns, int rows) {
    Tmux tmux = new Tmux(directory.resolve("tmux.sock"));
    tmux.run(
        "-f",
        "/dev/null",
        "new-session",
        "-d",
        "-x",
        Integer.toString(columns),
        "-y",
        Integer.toString(rows),
        start);
    tmux.awaitPrompt();
    return tmux;
  }

  void type(String line) {
    run("send-keys", "-l", line);
    keys("Enter");
  }

  /** Types a line again and again until its answer is on the screen. */
  void typeUntil(String line, String answer) {
    await(
        "\"" + answer + "\"",
        screen -> {
          if (!screen.contains(answer)) {
            type(line);
            Daemon.sleep(200);
          }
          return screen.contains(answer);
        });
  }

  /** Keys by tmux's names, such as {@code C-c}. */
  void keys(String... names) {
    List<String> command = new ArrayList<>(List.of("send-keys"));
    command.addAll(List.of(names));
    run(command.toArray(String[]::new));
  }

  void resize(int columns, int rows) {
    run("resize-window", "-x", Integer.toString(columns), "-y", Integer.toString(rows));
  }

  String screen() {
    return run("capture-pane", "-p").stripTrailing();
  }

  /** Waits until the host's own shell asks for the next line. */
  void awaitPrompt() {
    await("the host's prompt", screen -> screen.endsWith("host>"));
  }

  String await(String text) {
    return await("\"" + text + "\"", screen -> screen.contains(text));
  }

  /** Waits until the screen is as wanted; the screen then. */
  String await(String what, Predicate<String> wanted) {
    long end = System.nanoTime() + PATIENCE.toNanos();
    String screen = screen();
    while (!wanted.test(screen)) {
      assertThat(System.nanoTime()).as("%s does not come on:%n%s", what, screen).isLessThan(end);
      Daemon.sleep(50);
      screen = screen();
    }
    return screen;
  }

  private String run(String... arguments) {
    List<String> command = new ArrayList<>(List.of("tmux", "-S", socket.toString()));
    command.addAll(List.of(arguments));
    try {
      Path answer = Files.createTempFile(socket.getParent(), "tmux-", ".out");
      Process process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(answer.toFile())
              .start();
      boolean ended = process.waitFor(10, TimeUnit.SECONDS);
      String output = Files.readString(answer);
      Files.delete(answer);
      if (!ended || process.exitValue() != 0) {
        process.destroyForcibly();
        throw new IllegalStateException(
            String.join(" ", command) + (ended ? ": " : " does not end: ") + output);
      }
      return output;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    run("kill-server");
  }
}
