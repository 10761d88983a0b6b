package io.jrt.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A whole {@code jrtd} in a root, a state directory and a configuration of its own, started from
 * the tree that the build made. Closing it takes every trace away and says what was left over.
 */
final class Daemon implements AutoCloseable {
  private static final Path TREE =
      Path.of(System.getProperty("jrt.tree", "../dist/target/jrt")).toAbsolutePath().normalize();
  private static final Duration READY = Duration.ofSeconds(60);

  /** How long a command of {@code jrt} may take. */
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  /** What a command of {@code jrt} did. */
  record Result(int code, String out, String err) {
    /** Standard output of a command that must have worked. */
    String ok() {
      assertThat(code).as("exit code; stderr: %s", err).isZero();
      return out;
    }
  }

  private final Path home;
  private final List<String> arguments;
  private final Map<String, String> environment;
  private final List<String> prefix;
  private final Leaks before;
  private volatile Process process;
  private volatile Cri cri;

  private Daemon(
      Path home, List<String> arguments, Map<String, String> environment, List<String> prefix) {
    this.prefix = prefix;
    this.home = home;
    this.arguments = arguments;
    this.environment = environment;
    this.before = Leaks.now(home);
    this.process = launch();
    this.cri = connect();
  }

  /** Starts a daemon with this text as its configuration. */
  static Daemon start(String config) throws IOException {
    return start(newHome(), config, Map.of());
  }

  /**
   * A directory that bears its owner's process id: when that process was killed, {@code
   * dist/dev/sweep} takes away what it has left there.
   */
  static Path newHome() throws IOException {
    return Files.createTempDirectory("jrt-it-" + ProcessHandle.current().pid() + "-");
  }

  /** Starts a daemon in this directory with more in its environment, such as JRTD_OPTS. */
  static Daemon start(Path home, String config, Map<String, String> environment)
      throws IOException {
    return start(home, config, environment, List.of());
  }

  /** Starts a daemon whose own network is that one. */
  static Daemon startIn(OwnNetwork network, Path home, String config) throws IOException {
    return start(home, config, Map.of(), network.prefix());
  }

  private static Daemon start(
      Path home, String config, Map<String, String> environment, List<String> prefix)
      throws IOException {
    Files.createDirectories(home.resolve("root"));
    Files.createDirectories(home.resolve("state"));
    Files.writeString(home.resolve("config.toml"), config + network(config));
    List<String> arguments =
        List.of(
            "--root",
            home.resolve("root").toString(),
            "--state",
            home.resolve("state").toString(),
            "--socket",
            home.resolve("state/jrt.sock").toString(),
            "--config",
            home.resolve("config.toml").toString());
    return new Daemon(home, arguments, environment, prefix);
  }

  /** Pods in a range of addresses that no other daemon of this machine is likely to have. */
  static String ownRange() {
    long number = ProcessHandle.current().pid();
    return """
    [network.bridge]
    subnets = ["10.%d.%d.0/24"]
    """
        .formatted(128 + number / 256 % 64, number % 256);
  }

  /** On machines that the built-in bridge cannot work on, the provider that can. */
  private static String network(String config) {
    String provider = System.getenv("JRT_IT_NETWORK");
    return provider == null || config.contains("[network")
        ? ""
        : "\n[network]\nprovider = \"" + provider + "\"\n";
  }

  static Daemon start() throws IOException {
    return start("");
  }

  private Process launch() {
    List<String> command = new ArrayList<>(prefix);
    command.add(TREE.resolve("bin/jrtd").toString());
    command.addAll(arguments);
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log().toFile()));
    builder.environment().putAll(environment);
    try {
      return builder.start();
    } catch (IOException e) {
      throw new IllegalStateException("jrtd cannot be started; is the tree built?", e);
    }
  }

  private Cri connect() {
    long end = System.nanoTime() + READY.toNanos();
    while (true) {
      if (!process.isAlive()) {
        throw new IllegalStateException("jrtd ended with " + process.exitValue() + ": " + output());
      }
      if (Files.exists(socket())) {
        Cri candidate = new Cri(socket());
        if (candidate.answers()) {
          return candidate;
        }
        candidate.close();
      }
      if (System.nanoTime() > end) {
        throw new IllegalStateException("jrtd does not get ready: " + output());
      }
      sleep(20);
    }
  }

  Cri cri() {
    return cri;
  }

  Path home() {
    return home;
  }

  Path socket() {
    return home.resolve("state/jrt.sock");
  }

  Path log() {
    return home.resolve("jrtd.log");
  }

  long pid() {
    return process.pid();
  }

  /** What the daemon wrote so far. */
  String output() {
    try {
      return Files.exists(log()) ? Files.readString(log(), StandardCharsets.UTF_8) : "";
    } catch (IOException e) {
      return "no log: " + e.getMessage();
    }
  }

  /** Ends the daemon as a crash does. */
  void kill() {
    process.destroyForcibly();
    await(process);
    cri.close();
  }

  /** Whether the process has ended, or does so at once. */
  boolean hasEnded() {
    try {
      return process.waitFor(100, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  /** How the process that has ended did so. */
  int exitValue() {
    return process.exitValue();
  }

  /** The processes of the daemon are asked to end, as systemd does. */
  void terminate() {
    cri.close();
    process.destroy();
    await(process);
  }

  /** Starts a process on the same directories that does not need to get ready. */
  Process launchOnly() {
    cri.close();
    process = launch();
    return process;
  }

  /** Starts the daemon anew on the same directories. */
  void restart() {
    cri.close();
    process = launch();
    cri = connect();
  }

  /** Runs {@code jrt} with these arguments against this daemon. */
  Result jrt(String... words) throws IOException, InterruptedException {
    return jrt(Map.of(), words);
  }

  Result jrt(Map<String, String> environment, String... words)
      throws IOException, InterruptedException {
    return jrt(environment, InputStream.nullInputStream(), words);
  }

  /** Runs {@code jrt} with something to read. */
  Result jrt(InputStream input, String... words) throws IOException, InterruptedException {
    return jrt(Map.of(), input, words);
  }

  private Result jrt(Map<String, String> environment, InputStream input, String... words)
      throws IOException, InterruptedException {
    ProcessBuilder builder = client(words);
    builder.environment().putAll(environment);
    Path err = Files.createTempFile(home, "jrt-", ".err");
    builder.redirectError(err.toFile());
    Process client = builder.start();
    Thread feeder = Thread.ofVirtual().start(() -> feed(input, client));
    FutureTask<String> output = new FutureTask<>(() -> text(client.getInputStream()));
    Thread.ofVirtual().start(output);
    if (!client.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
      throw hanging(client, output, err, words);
    }
    try {
      String out = output.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
      feeder.join();
      return new Result(client.exitValue(), out, Files.readString(err));
    } catch (TimeoutException e) {
      throw new IOException("jrt %s ended, not its output".formatted(String.join(" ", words)), e);
    } catch (ExecutionException e) {
      throw new IOException("output of jrt " + String.join(" ", words), e.getCause());
    }
  }

  /** Asks a client that does not end for its threads, ends it, and tells all it said. */
  private IOException hanging(Process client, FutureTask<String> output, Path err, String... words)
      throws IOException, InterruptedException {
    await(new ProcessBuilder("kill", "-QUIT", Long.toString(client.pid())).start());
    sleep(1000);
    client.destroyForcibly();
    String out;
    try {
      out = output.get(10, TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException e) {
      out = "no output: " + e;
    }
    return new IOException(
        "jrt %s does not end: %s%n%s%nthe daemon: %s"
            .formatted(String.join(" ", words), out, Files.readString(err), output()));
  }

  private static String text(InputStream stream) throws IOException {
    return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
  }

  /** {@code jrt} with these arguments, to be started. */
  ProcessBuilder client(String... words) {
    List<String> command = new ArrayList<>();
    command.add(TREE.resolve("bin/jrt").toString());
    command.addAll(List.of(words));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("JRT_SOCKET", socket().toString());
    return builder;
  }

  private static void feed(InputStream input, Process client) {
    try (OutputStream out = client.getOutputStream()) {
      input.transferTo(out);
    } catch (IOException e) {
      // It read no more of it, as it may; what became of it, its exit code tells.
      Thread.currentThread().interrupt();
    }
  }

  /** Where {@code jrt} and {@code jrtd} lie. */
  static Path programs() {
    return TREE.resolve("bin");
  }

  /** The archive of the image that the build bundles. */
  static Path bundledArchive() {
    return TREE.resolve("share/images/busybox.tar");
  }

  /** Imports the image that the build bundles; its name. */
  String bundledImage() throws IOException, InterruptedException {
    jrt("image", "import", TREE.resolve("share/images/busybox.tar").toString()).ok();
    return "localhost/jrt-busybox:latest";
  }

  /** Removes every pod, ends the daemon, and fails if anything is left on the machine. */
  @Override
  public void close() throws IOException {
    List<String> leaks = new ArrayList<>();
    try {
      if (!process.isAlive()) {
        restart();
      }
      cri.removeEverything();
      // The kernel takes network namespaces and cgroups away with a delay of its own.
      long end = System.nanoTime() + Duration.ofSeconds(15).toNanos();
      leaks = Leaks.now(home).since(before);
      while (leaks.stream().anyMatch(leak -> !daemonWide(leak)) && System.nanoTime() < end) {
        sleep(100);
        leaks = Leaks.now(home).since(before);
      }
      leaks.removeIf(this::daemonWide);
    } finally {
      cri.close();
      process.destroy();
      await(process);
      cleanUp();
    }
    leaks.addAll(Leaks.now(home).since(before));
    assertThat(leaks).as("left on the machine; the daemon said: %s", output()).isEmpty();
    deleteHome();
  }

  /** What is on the machine that was not there before, and that no daemon without pods has. */
  List<String> leaks() {
    List<String> leaks = Leaks.now(home).since(before);
    leaks.removeIf(leak -> daemonWide(leak) && !leak.startsWith("mount " + home + "/"));
    // Others use this machine too.
    leaks.removeIf(leak -> leak.startsWith("mount ") && !leak.startsWith("mount " + home + "/"));
    leaks.removeIf(leak -> leak.startsWith("interface ") && !leak.startsWith("interface jv"));
    return leaks;
  }

  /** What a running daemon without pods may hold. */
  private boolean daemonWide(String leak) {
    String cgroup = "/jrt-" + Leaks.instance(home.resolve("root")) + "/";
    return leak.startsWith("interface jrt-")
        || leak.startsWith("mount " + home + "/")
        || (leak.startsWith("cgroup ") && !leak.contains(cgroup));
  }

  private void cleanUp() throws IOException {
    List<String> command = new ArrayList<>(prefix);
    command.add(TREE.resolve("bin/jrtd").toString());
    command.addAll(arguments);
    command.add("--cleanup");
    Process cleanup =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log().toFile()))
            .start();
    await(cleanup);
    assertThat(cleanup.exitValue()).as("jrtd --cleanup: %s", output()).isZero();
  }

  private void deleteHome() throws IOException {
    // Disks that a test has put there.
    for (String mount : before.mounts()) {
      if (mount.startsWith(home + "/")) {
        await(new ProcessBuilder("umount", "-l", mount).start());
      }
    }
    Process delete = new ProcessBuilder("rm", "-rf", "--one-file-system", home.toString()).start();
    await(delete);
    assertThat(home).doesNotExist();
  }

  private static void await(Process process) {
    try {
      if (!process.waitFor(1, TimeUnit.MINUTES)) {
        process.destroyForcibly();
        throw new IllegalStateException("process " + process.pid() + " does not end");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  static void sleep(long millis) {
    try {
      TimeUnit.MILLISECONDS.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }
}
