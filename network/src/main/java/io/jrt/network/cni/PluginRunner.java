package io.jrt.network.cni;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.jrt.errors.ErrorKind;
import io.jrt.linux.Fd;
import io.jrt.linux.Kernel;
import io.jrt.linux.KernelException;
import io.jrt.linux.Signals;
import io.jrt.linux.SpawnRequest;
import io.jrt.linux.WaitResult;
import io.jrt.network.HostNamespace;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * Runs plugins: each in a session of its own, with no descriptor and no environment but what the
 * specification names (and PATH, since plugins run iptables), for a limited time.
 *
 * <p>Input and output are files: nothing blocks when a plugin does not read, writes too much, or
 * leaves a child behind that holds its output open.
 */
final class PluginRunner {
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final String DEFAULT_PATH =
      "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  private static final int MAX_OUTPUT = 4 << 20;
  private static final int SHOWN = 300;

  private final Kernel kernel;
  private final HostNamespace host;
  private final List<Path> directories;
  private final Duration limit;
  private final RunningPlugins running;

  PluginRunner(
      Kernel kernel,
      HostNamespace host,
      List<Path> directories,
      Duration limit,
      RunningPlugins running) {
    this.running = running;
    this.kernel = kernel;
    this.host = host;
    this.directories = List.copyOf(directories);
    this.limit = limit;
  }

  /**
   * What a plugin is asked.
   *
   * @param command ADD, DEL, CHECK, GC, STATUS or VERSION
   * @param environment CNI_* variables besides CNI_COMMAND and CNI_PATH
   * @param input its standard input
   */
  record Call(String command, Map<String, String> environment, ObjectNode input) {}

  /** The plugin's program. */
  Path find(String type) throws PluginException {
    for (Path directory : directories) {
      Path program = directory.resolve(type);
      if (Files.isExecutable(program) && !Files.isDirectory(program)) {
        return program;
      }
    }
    throw new PluginException(
        ErrorKind.UNAVAILABLE, "cni plugin " + type + " is not in any of " + directories);
  }

  /**
   * Runs a plugin and answers what it wrote, which is empty for commands without a result.
   *
   * @throws PluginException it could not be run, did not end in time, or reported an error
   */
  String run(String type, Call call) throws PluginException {
    Path program = find(type);
    String what = "cni plugin " + type + " (" + call.command() + ")";
    String sandbox = call.environment().getOrDefault("CNI_CONTAINERID", "");
    try (RunningPlugins.Input in = running.begin(sandbox, JSON.writeValueAsBytes(call.input()));
        Fd out = kernel.files().memfdCreate("cni-out", false);
        Fd err = kernel.files().memfdCreate("cni-err", false)) {
      SpawnRequest request =
          new SpawnRequest(
              program.toString(),
              List.of(program.toString().getBytes(UTF_8)),
              environment(call),
              Map.of(0, in.fd(), 1, out, 2, err),
              true);
      int pid = host.call("run cni plugin", () -> kernel.processes().spawn(request));
      WaitResult result = await(pid, what, out, err);
      return evaluate(what, result, text(out), text(err));
    } catch (KernelException e) {
      throw new PluginException(ErrorKind.UNAVAILABLE, what + " cannot be run: " + e.getMessage());
    }
  }

  private List<byte[]> environment(Call call) {
    List<byte[]> environment = new ArrayList<>();
    String path = System.getenv("PATH");
    environment.add(("PATH=" + (path == null ? DEFAULT_PATH : path)).getBytes(UTF_8));
    environment.add(("CNI_COMMAND=" + call.command()).getBytes(UTF_8));
    String binaries = String.join(":", directories.stream().map(Path::toString).toList());
    environment.add(("CNI_PATH=" + binaries).getBytes(UTF_8));
    call.environment()
        .forEach((name, value) -> environment.add((name + "=" + value).getBytes(UTF_8)));
    return environment;
  }

  private WaitResult await(int pid, String what, Fd out, Fd err) throws PluginException {
    long start = System.nanoTime();
    try (Fd pidfd = kernel.processes().pidfdOpen(pid)) {
      for (long pause = 1; ; pause = Math.min(pause + 1, 20)) {
        Optional<WaitResult> result = kernel.processes().poll(pidfd, true);
        if (result.isPresent()) {
          return result.get();
        }
        boolean late = System.nanoTime() - start > limit.toNanos();
        boolean flood =
            kernel.files().fstat(out).size() > MAX_OUTPUT
                || kernel.files().fstat(err).size() > MAX_OUTPUT;
        boolean interrupted = !late && !flood && !sleep(pause);
        if (late || flood || interrupted) {
          // It leads a process group: what it started goes with it.
          kernel.processes().kill(-pid, Signals.SIGKILL);
          kernel.processes().waitFor(pidfd);
          throw interrupted
              ? new PluginException(ErrorKind.CANCELLED, what + " was interrupted")
              : late
                  ? new PluginException(
                      ErrorKind.DEADLINE,
                      what + " did not end within " + limit.toMillis() + " ms and was killed")
                  : new PluginException(
                      ErrorKind.UNAVAILABLE, what + " wrote without end and was killed");
        }
      }
    }
  }

  private static boolean sleep(long milliseconds) {
    try {
      Thread.sleep(milliseconds);
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private String text(Fd file) {
    ByteBuffer bytes =
        ByteBuffer.allocate((int) Math.min(kernel.files().fstat(file).size(), MAX_OUTPUT));
    int read = 1;
    while (bytes.hasRemaining() && read > 0) {
      read = kernel.files().pread(file, bytes, bytes.position());
    }
    return UTF_8.decode(bytes.flip()).toString().strip();
  }

  private static String evaluate(String what, WaitResult result, String out, String err)
      throws PluginException {
    if (result instanceof WaitResult.Exited(int code) && code == 0) {
      return out;
    }
    String ended =
        switch (result) {
          case WaitResult.Exited(int code) -> "failed with exit code " + code;
          case WaitResult.Signaled(int signal, boolean core) ->
              "was killed by " + Signals.name(signal);
        };
    Optional<ObjectNode> report = object(out);
    if (report.isPresent() && report.get().has("msg")) {
      int code = report.get().path("code").asInt(0);
      String details = report.get().path("details").asString("");
      throw new PluginException(
          kind(code),
          what
              + ": "
              + report.get().path("msg").asString("")
              + (details.isEmpty() ? "" : ": " + details)
              + " (code "
              + code
              + ")");
    }
    String said = err.isEmpty() ? out : err;
    throw new PluginException(
        ErrorKind.UNAVAILABLE, what + " " + ended + (said.isEmpty() ? "" : ": " + shorten(said)));
  }

  private static ErrorKind kind(int code) {
    return switch (code) {
      case 1, 2, 4, 6, 7 -> ErrorKind.INVALID;
      case 3 -> ErrorKind.NOT_FOUND;
      default -> ErrorKind.UNAVAILABLE;
    };
  }

  /** The JSON object in a plugin's output, if it is one. */
  static Optional<ObjectNode> object(String text) {
    try {
      JsonNode node = JSON.readTree(text);
      return node instanceof ObjectNode object ? Optional.of(object) : Optional.empty();
    } catch (JacksonException e) {
      return Optional.empty();
    }
  }

  /** The start of a text for a message, on one line. */
  static String shorten(String text) {
    String line = text.replaceAll("\\s+", " ").strip();
    return line.length() <= SHOWN ? line : line.substring(0, SHOWN) + "…";
  }
}
