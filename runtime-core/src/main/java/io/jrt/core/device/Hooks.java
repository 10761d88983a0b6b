package io.jrt.core.device;

import io.jrt.core.device.CdiEdits.Hook;
import io.jrt.core.device.DeviceInjection.OriginHook;
import io.jrt.core.launch.RootfsGate;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * The hooks of one container, run as the OCI runtime spec says: the container's state as JSON on
 * standard input, nothing but the environment they name. Their working place is a bundle directory
 * with a {@code config.json} that tells where the root file system lies, as programs written for
 * other runtimes look for it.
 *
 * <p>createRuntime and prestart run on the node, createContainer in the container's mount
 * namespace; all three after the container's namespaces and mounts are made and before its root is
 * changed. startContainer runs in the container right before its program, with that one's rights;
 * jrt-init runs it. poststart runs on the node when the program runs, poststop when the container
 * is gone.
 *
 * <p>Those of the end are kept in the bundle: a later daemon runs what was in force at the start.
 */
public final class Hooks {
  private static final Logger log = LoggerFactory.getLogger(Hooks.class);
  private static final String STEP = "run hooks";
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final String LATER = "poststop.json";
  private static final int PATIENCE_SECONDS = 60;
  private static final int OUTPUT = 2000;
  private static final int PLACEHOLDER = 4194305; // above every pid

  private final Path bundle;
  private final Path jrtInit;

  /**
   * @param bundle a directory of this container alone, that goes with it
   * @param jrtInit the program that enters a mount namespace
   */
  public Hooks(Path bundle, Path jrtInit) {
    this.bundle = bundle;
    this.jrtInit = jrtInit;
  }

  /** Where the root file system is shown to hooks. */
  public Path rootfs() {
    return bundle.resolve("rootfs");
  }

  /** The state that a hook is told. */
  public record State(String id, Map<String, String> annotations, String hostname) {
    public State {
      annotations = Map.copyOf(annotations);
    }
  }

  private record Stored(State state, List<OriginHook> hooks) {}

  /** Makes the bundle. */
  public void prepare(State state, List<OriginHook> hooks) {
    ObjectNode config = JSON.createObjectNode().put("ociVersion", "1.2.0");
    config.putObject("root").put("path", rootfs().toString());
    config.put("hostname", state.hostname());
    ObjectNode annotations = config.putObject("annotations");
    new TreeMap<>(state.annotations()).forEach(annotations::put);
    config.putObject("linux");
    List<OriginHook> later =
        hooks.stream().filter(each -> each.hook().moment() == Hook.Moment.POSTSTOP).toList();
    try {
      Files.createDirectories(rootfs());
      Files.write(bundle.resolve("config.json"), JSON.writeValueAsBytes(config));
      if (!later.isEmpty()) {
        Files.write(bundle.resolve(LATER), JSON.writeValueAsBytes(new Stored(state, later)));
      }
    } catch (IOException e) {
      throw new JrtException(
          ErrorKind.UNAVAILABLE, STEP, "cannot make the bundle %s: %s".formatted(bundle, e), e);
    }
  }

  /** What runs between the making of the mounts and the change of the root. */
  public void beforeRoot(State state, List<OriginHook> hooks, int pid) {
    for (Hook.Moment moment :
        List.of(Hook.Moment.PRESTART, Hook.Moment.CREATE_RUNTIME, Hook.Moment.CREATE_CONTAINER)) {
      runAll(moment, state, hooks, "creating", pid);
    }
  }

  /** What runs in the container, as its user, right before its program. */
  public List<RootfsGate.Inside> inside(State state, List<OriginHook> hooks) {
    return hooks.stream()
        .filter(each -> each.hook().moment() == Hook.Moment.START_CONTAINER)
        .map(
            each ->
                new RootfsGate.Inside(
                    each.hook().path(),
                    each.hook().args().isEmpty() ? List.of(each.hook().path()) : each.hook().args(),
                    each.hook().environment(),
                    each.hook().seconds().orElse(PATIENCE_SECONDS),
                    describe(each, state)))
        .toList();
  }

  /** What those are told; the bundle they cannot see. */
  public RootfsGate.State stateInside(State state) {
    String json = new String(json(state, "created", PLACEHOLDER), StandardCharsets.UTF_8);
    String field = "\"pid\":";
    int at = json.indexOf(field + PLACEHOLDER) + field.length();
    return new RootfsGate.State(
        json.substring(0, at), json.substring(at + Integer.toString(PLACEHOLDER).length()));
  }

  private static String describe(OriginHook each, State state) {
    return "%s hook %s of container %s (%s)"
        .formatted(each.hook().moment().word(), each.hook().path(), state.id(), each.origin());
  }

  /** What runs when the program of the container was started. */
  public void started(State state, List<OriginHook> hooks, int pid) {
    runAll(Hook.Moment.POSTSTART, state, hooks, "running", pid);
  }

  private void runAll(
      Hook.Moment moment, State state, List<OriginHook> hooks, String status, int pid) {
    for (OriginHook each : hooks) {
      if (each.hook().moment() == moment) {
        run(each, state, status, pid);
      }
    }
  }

  /** What runs when the container is gone; nothing here keeps it from going. */
  public void ended() {
    Path file = bundle.resolve(LATER);
    Stored stored;
    try {
      stored = JSON.readValue(Files.readAllBytes(file), Stored.class);
    } catch (NoSuchFileException none) {
      return;
    } catch (IOException | RuntimeException e) {
      log.warn("the poststop hooks in {} cannot be read: {}", file, e.getMessage());
      return;
    }
    for (OriginHook each : stored.hooks()) {
      try {
        run(each, stored.state(), "stopped", 0);
      } catch (JrtException e) {
        log.warn("{}", e.getMessage());
      }
    }
  }

  private void run(OriginHook each, State state, String status, int pid) {
    Hook hook = each.hook();
    String what = describe(each, state);
    List<String> args = hook.args().isEmpty() ? List.of(hook.path()) : hook.args();
    List<String> command = new ArrayList<>();
    if (hook.moment() == Hook.Moment.CREATE_CONTAINER) {
      command.addAll(List.of(jrtInit.toString(), "hook", "/proc/" + pid + "/ns/mnt"));
      command.add(hook.path());
      command.addAll(args);
    } else {
      command.add(hook.path());
      command.addAll(args.subList(1, args.size()));
    }
    Process process;
    Path output = bundle.resolve("hook.out");
    try {
      ProcessBuilder builder = new ProcessBuilder(command);
      builder.environment().clear();
      for (String variable : hook.environment()) {
        int equals = variable.indexOf('=');
        if (equals > 0) {
          builder.environment().put(variable.substring(0, equals), variable.substring(equals + 1));
        }
      }
      process =
          builder
              .directory(bundle.toFile())
              .redirectErrorStream(true)
              .redirectOutput(Redirect.to(output.toFile()))
              .start();
    } catch (IOException e) {
      throw new JrtException(
          ErrorKind.FAILED_PRECONDITION, STEP, what + " cannot be run: " + e.getMessage(), e);
    }
    tell(process, json(state, status, pid));
    await(process, hook, what, output);
  }

  private byte[] json(State state, String status, int pid) {
    ObjectNode root =
        JSON.createObjectNode()
            .put("ociVersion", "1.2.0")
            .put("id", state.id())
            .put("status", status);
    if (pid > 0) {
      root.put("pid", pid);
    }
    root.put("bundle", bundle.toString());
    ObjectNode annotations = root.putObject("annotations");
    new TreeMap<>(state.annotations()).forEach(annotations::put);
    return JSON.writeValueAsBytes(root);
  }

  private static void tell(Process process, byte[] state) {
    try (OutputStream input = process.getOutputStream()) {
      input.write(state);
    } catch (IOException notRead) {
      // A hook need not read it; whether it went well its exit code tells.
      log.debug("a hook did not read its state: {}", notRead.getMessage());
    }
  }

  private static void await(Process process, Hook hook, String what, Path output) {
    int seconds = hook.seconds().orElse(PATIENCE_SECONDS);
    try {
      if (!process.waitFor(seconds, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        process.waitFor();
        throw new JrtException(
            ErrorKind.DEADLINE, STEP, "%s did not end within %d s".formatted(what, seconds));
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
      throw new JrtException(ErrorKind.CANCELLED, STEP, what + " was interrupted", e);
    }
    if (process.exitValue() != 0) {
      throw new JrtException(
          ErrorKind.FAILED_PRECONDITION,
          STEP,
          "%s failed with %d%s".formatted(what, process.exitValue(), said(output)));
    }
  }

  private static String said(Path output) {
    try {
      String text = new String(Files.readAllBytes(output), StandardCharsets.UTF_8).strip();
      return text.isEmpty()
          ? ""
          : ": " + text.substring(Math.max(0, text.length() - OUTPUT)).replace('\n', ' ');
    } catch (IOException e) {
      return ": its output cannot be read: " + e.getMessage();
    }
  }
}
