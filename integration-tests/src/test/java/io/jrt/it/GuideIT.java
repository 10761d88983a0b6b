package io.jrt.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * The commands of README and guides. Those of {@code jrt} that stand by themselves are run against
 * a daemon, in their order; of those with a placeholder (IMAGE, NODE) command and options must
 * exist, and every key of the configuration that is named must be one.
 */
class GuideIT {
  private static final Path SOURCE = Path.of("..").toAbsolutePath().normalize();
  private static final Pattern PLACEHOLDER =
      Pattern.compile("\\b[A-Z]{4,}\\b|example\\.org|[$|]|/etc/jrt|\\.\\.\\.");

  /** What ends only when somebody ends it, or needs a containerd or a GPU. */
  private static final Pattern ELSEWHERE =
      Pattern.compile("^jrt (exec -it|logs -f|top|events|migrate|cdi generate)\\b.*");

  private static final Pattern KEY =
      Pattern.compile("`((?:images|network|containers|streaming|devices)(?:\\.[a-z-]+)+)`");

  private static Daemon daemon;
  private static String port;

  @BeforeAll
  static void start() throws IOException {
    daemon = Daemon.start(Daemon.ownRange());
    try (ServerSocket free = new ServerSocket(0)) {
      port = String.valueOf(free.getLocalPort());
    }
  }

  @AfterAll
  static void stop() throws IOException {
    daemon.close();
  }

  private static List<Path> documents() throws IOException {
    List<Path> documents = new ArrayList<>(List.of(SOURCE.resolve("README.md")));
    try (Stream<Path> guides = Files.list(SOURCE.resolve("docs/guides"))) {
      guides.sorted().forEach(documents::add);
    }
    return documents;
  }

  /** Lines of code blocks, fenced or indented, that begin with jrt; comments are cut off. */
  private static List<String> commands(Path document) throws IOException {
    List<String> commands = new ArrayList<>();
    boolean fenced = false;
    for (String line : Files.readAllLines(document)) {
      String text = line.strip();
      if (text.startsWith("```")) {
        fenced = !fenced;
      } else if ((fenced || line.startsWith("    "))
          && (text.startsWith("jrt ") || text.startsWith("$ jrt "))) {
        commands.add(text.replaceFirst("^\\$ ", "").replaceFirst("\\s{2,}#.*$", "").strip());
      }
    }
    return commands;
  }

  @Test
  void theCommandsOfTheGuidesWork() throws Exception {
    List<String> failed = new ArrayList<>();
    int run = 0;
    for (Path document : documents()) {
      for (String command : commands(document)) {
        Matcher placeholder = PLACEHOLDER.matcher(command);
        if (placeholder.find() || ELSEWHERE.matcher(command).matches()) {
          checkWords(command, document, failed);
          continue;
        }
        run++;
        Daemon.Result result = daemon.jrt(words(command));
        // The doctor's exit code tells about the machine.
        if (result.code() != 0 && !command.startsWith("jrt doctor")) {
          failed.add("%s: %s: %s".formatted(document.getFileName(), command, result.err()));
        }
      }
      daemon.jrt("rm", "-fa").ok();
    }
    assertThat(failed).isEmpty();
    assertThat(run).isGreaterThan(15);
  }

  private static String[] words(String command) {
    return command
        .substring("jrt ".length())
        .replaceAll("\\S*busybox\\.tar", Daemon.bundledArchive().toString())
        .replace("8080:", port + ":")
        .split(" +");
  }

  /** A command that cannot be run here must at least be one, with options that exist. */
  private static void checkWords(String command, Path document, List<String> failed)
      throws IOException, InterruptedException {
    List<String> words = List.of(command.split(" +"));
    Daemon.Result help = daemon.jrt("help", words.get(1));
    if (help.code() != 0) {
      help = daemon.jrt("help", words.get(1), words.get(2));
    }
    for (String word : words) {
      if (help.code() != 0
          || (word.startsWith("--") && !help.out().contains(word.replaceFirst("=.*", "")))) {
        failed.add("%s: %s: no %s".formatted(document.getFileName(), command, word));
        return;
      }
    }
  }

  @Test
  void theKeysThatGuidesNameExist() throws Exception {
    String all = daemon.jrt("config", "default").ok();
    List<String> unknown = new ArrayList<>();
    for (Path document : documents()) {
      Matcher keys = KEY.matcher(Files.readString(document));
      while (keys.find()) {
        String key = keys.group(1);
        String section = key.substring(0, key.lastIndexOf('.'));
        String name = key.substring(key.lastIndexOf('.') + 1);
        Matcher found =
            Pattern.compile(
                    "(?ms)^\\[" + Pattern.quote(section) + "\\]$(?:(?!^\\[).)*^" + name + " = ")
                .matcher(all);
        if (!found.find() && !all.contains("[" + key + "]")) {
          unknown.add(document.getFileName() + ": " + key);
        }
      }
    }
    assertThat(unknown).isEmpty();
  }
}
