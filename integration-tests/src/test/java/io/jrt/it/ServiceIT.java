package io.jrt.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A daemon as a service of systemd: what it tells, how it takes a socket over, where it logs. */
class ServiceIT {
  private static final Duration LONG = Duration.ofSeconds(60);

  private Path home;
  private @Nullable Process process;

  @BeforeEach
  void makeHome() throws IOException {
    home = Daemon.newHome();
    Files.createDirectories(home.resolve("root"));
    Files.createDirectories(home.resolve("state"));
    Files.writeString(home.resolve("config.toml"), "");
  }

  @AfterEach
  void takeAway() throws Exception {
    Process left = process;
    if (left != null) {
      left.destroy();
      if (!left.waitFor(30, TimeUnit.SECONDS)) {
        left.destroyForcibly().waitFor();
      }
    }
    assertThat(new ProcessBuilder(command("--cleanup")).inheritIO().start().waitFor()).isZero();
    new ProcessBuilder("rm", "-rf", "--one-file-system", home.toString()).start().waitFor();
  }

  private List<String> command(String... more) {
    List<String> command =
        new ArrayList<>(
            List.of(
                Daemon.programs().resolve("jrtd").toString(),
                "--root",
                home.resolve("root").toString(),
                "--state",
                home.resolve("state").toString(),
                "--socket",
                home.resolve("state/jrt.sock").toString(),
                "--config",
                home.resolve("config.toml").toString()));
    command.addAll(List.of(more));
    return command;
  }

  private ProcessBuilder daemon(String... prefix) {
    List<String> command = new ArrayList<>(List.of(prefix));
    command.addAll(command());
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(home.resolve("log").toFile());
  }

  private static Predicate<String> line(String line) {
    return message -> message.lines().anyMatch(line::equals);
  }

  @Test
  void systemdIsToldWhatBecomesOfTheDaemon() throws Exception {
    try (NotifySocket systemd = new NotifySocket(home.resolve("notify"))) {
      ProcessBuilder builder = daemon();
      builder.environment().put("NOTIFY_SOCKET", home.resolve("notify").toString());
      builder.environment().put("WATCHDOG_USEC", "3000000");
      Process running = builder.start();
      process = running;

      String ready = systemd.await(line("READY=1"), LONG);
      assertThat(ready).contains("STATUS=serves " + home.resolve("state/jrt.sock"));
      systemd.await(line("WATCHDOG=1"), LONG);
      systemd.await(line("WATCHDOG=1"), LONG);

      long before = System.nanoTime() / 1000;
      hangUp(running);
      String reloading = systemd.await(line("RELOADING=1"), LONG);
      long told =
          Long.parseLong(
              reloading
                  .lines()
                  .filter(l -> l.startsWith("MONOTONIC_USEC="))
                  .findFirst()
                  .orElseThrow()
                  .substring("MONOTONIC_USEC=".length()));
      assertThat(told).as("the same clock").isBetween(before, System.nanoTime() / 1000);
      assertThat(systemd.await(line("READY=1"), LONG)).contains("STATUS=serves");

      Files.writeString(home.resolve("config.toml"), "[log]\nlevle = \"debug\"\n");
      hangUp(running);
      systemd.await(line("RELOADING=1"), LONG);
      assertThat(systemd.await(line("READY=1"), LONG)).contains("STATUS=the configuration is bad");
      Files.writeString(home.resolve("config.toml"), "");

      running.destroy();
      systemd.await(line("STOPPING=1"), LONG);
      assertThat(running.waitFor(30, TimeUnit.SECONDS)).isTrue();
    }
  }

  private static void hangUp(Process running) throws IOException, InterruptedException {
    assertThat(ignoresHangUp(running.pid()))
        .as("the tests were started with SIGHUP ignored, as nohup does, and so was the daemon")
        .isFalse();
    assertThat(new ProcessBuilder("kill", "-HUP", "" + running.pid()).start().waitFor()).isZero();
  }

  private static boolean ignoresHangUp(long pid) throws IOException {
    String ignored =
        Files.readAllLines(Path.of("/proc/" + pid + "/status")).stream()
            .filter(line -> line.startsWith("SigIgn:"))
            .findFirst()
            .orElseThrow();
    return (Long.parseUnsignedLong(ignored.substring("SigIgn:".length()).strip(), 16) & 1) != 0;
  }

  @Test
  void theWatchdogOfAnotherProcessIsNotAnswered() throws Exception {
    try (NotifySocket systemd = new NotifySocket(home.resolve("notify"))) {
      ProcessBuilder builder = daemon();
      builder.environment().put("NOTIFY_SOCKET", home.resolve("notify").toString());
      builder.environment().put("WATCHDOG_USEC", "3000000");
      builder.environment().put("WATCHDOG_PID", "1");
      Process running = builder.start();
      process = running;
      systemd.await(line("READY=1"), LONG);
      Thread.sleep(4000);
      running.destroy();
      List<String> after = new ArrayList<>();
      systemd.await(
          message -> {
            after.add(message);
            return message.equals("STOPPING=1");
          },
          LONG);
      assertThat(after).as("the watchdog was another process's").noneMatch(line("WATCHDOG=1"));
    }
  }

  @Test
  void aSocketThatSystemdOpenedIsServedAndLeft() throws Exception {
    Path socket = home.resolve("state/jrt.sock");
    Process running = daemon("perl", "-e", LISTEN, socket.toString()).start();
    process = running;
    try (Cri cri = new Cri(socket)) {
      long end = System.nanoTime() + LONG.toNanos();
      while (!cri.answers() && System.nanoTime() < end) {
        Daemon.sleep(50);
      }
      assertThat(cri.answers()).as(Files.readString(home.resolve("log"))).isTrue();
    }
    running.destroy();
    assertThat(running.waitFor(30, TimeUnit.SECONDS)).isTrue();
    assertThat(socket).as("it is not the daemon's to remove").exists();
    assertThat(Files.readString(home.resolve("log"))).contains("that systemd has opened");
  }

  /**
   * What systemd does before it starts a service with a socket: argv is SOCKET PROGRAM ARGUMENTS.
   */
  private static final String LISTEN =
      """
      use Socket; use POSIX;
      $^F = 10;
      my $s; socket($s, AF_UNIX, SOCK_STREAM, 0) && bind($s, pack_sockaddr_un(shift)) && listen($s, 128) || die "$!";
      POSIX::dup2(fileno($s), 3);
      ($ENV{LISTEN_FDS}, $ENV{LISTEN_PID}) = (1, $$);
      exec @ARGV;
      """;

  @Test
  void theJournalGetsPrioritiesAndOnlyTheJournal() throws Exception {
    Path log = Files.createFile(home.resolve("log"));
    String stream = Files.getAttribute(log, "unix:dev") + ":" + Files.getAttribute(log, "unix:ino");
    assertThat(firstLine(stream)).startsWith("<6>jrtd: jrtd ");
    assertThat(firstLine("1:1")).as("redirected elsewhere").startsWith("{\"time\":");
  }

  @Test
  void noCoreIsWrittenThatWouldHoldSecrets() throws Exception {
    String pattern = Files.readString(Path.of("/proc/sys/kernel/core_pattern")).strip();
    assumeTrue(pattern.matches("[^|/]+"), "cores of this machine go elsewhere: " + pattern);
    // What is shown here at all: a program like any other leaves one.
    assertThat(coresOf(List.of("sh", "-c", "ulimit -c unlimited; exec sleep 1000"))).isNotEmpty();
    List<String> unlimited =
        new ArrayList<>(List.of("sh", "-c", "ulimit -c unlimited; exec \"$@\"", "sh"));
    unlimited.addAll(command());
    assertThat(coresOf(unlimited)).isEmpty();
  }

  /** What a program leaves behind in its directory that is told to abort once it runs. */
  private List<Path> coresOf(List<String> command) throws Exception {
    Path directory = Files.createDirectory(home.resolve("cores" + command.size()));
    Path log = home.resolve("log");
    Process running =
        new ProcessBuilder(command)
            .directory(directory.toFile())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    process = running;
    long end = System.nanoTime() + LONG.toNanos();
    Path limits = Path.of("/proc/" + running.pid() + "/limits");
    while (System.nanoTime() < end
        && !Files.readString(log).contains(" serves ")
        && !Files.readString(Path.of("/proc/" + running.pid() + "/comm")).startsWith("sleep")) {
      Daemon.sleep(50);
    }
    assertThat(Files.readString(limits)).containsPattern("Max core file size +unlimited");
    new ProcessBuilder("kill", "-ABRT", "" + running.pid()).start().waitFor();
    assertThat(running.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(running.exitValue()).isEqualTo(128 + 6);
    try (Stream<Path> files = Files.list(directory)) {
      return files.toList();
    }
  }

  private String firstLine(String journalStream) throws Exception {
    ProcessBuilder builder = daemon();
    builder.environment().put("JOURNAL_STREAM", journalStream);
    Process running = builder.start();
    process = running;
    long end = System.nanoTime() + LONG.toNanos();
    while (!Files.readString(home.resolve("log")).contains("serves") && System.nanoTime() < end) {
      Daemon.sleep(50);
    }
    running.destroy();
    assertThat(running.waitFor(30, TimeUnit.SECONDS)).isTrue();
    return Files.readAllLines(home.resolve("log")).stream()
        .filter(text -> text.contains(" serves "))
        .findFirst()
        .orElseThrow();
  }
}
