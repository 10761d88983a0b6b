package io.jrt.core.life;

import io.jrt.core.Bytes;
import io.jrt.core.ContainerState;
import io.jrt.core.EnvVar;
import io.jrt.core.ExecChanges;
import io.jrt.core.ExecRequest;
import io.jrt.core.ExecResult;
import io.jrt.core.TerminalSize;
import io.jrt.core.io.AttachRequest;
import io.jrt.core.io.ContainerIo;
import io.jrt.core.io.ExecSession;
import io.jrt.core.io.StreamClient;
import io.jrt.core.io.StreamSession;
import io.jrt.core.launch.CString;
import io.jrt.core.launch.ExecSpec;
import io.jrt.core.launch.LaunchIo;
import io.jrt.core.launch.LiveContainer;
import io.jrt.core.launch.LiveExec;
import io.jrt.core.launch.ProcessSpec;
import io.jrt.core.spec.UserMerge;
import io.jrt.core.spec.UserPlan;
import io.jrt.core.store.ContainerRecord;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.events.ContainerEvent;
import io.jrt.image.ImageUser;
import io.jrt.linux.Fd;
import io.jrt.linux.NamespaceKind;
import io.jrt.linux.OpenFlags;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** What is done in a running container besides its own process: commands, attaching, ports. */
final class Commands {
  private static final String EXEC = "exec";
  private static final Duration CONNECT_PATIENCE = Duration.ofSeconds(10);

  /**
   * How long output is waited for when a command has ended but something it left holds its pipes.
   */
  private static final Duration DRAIN_PATIENCE = Duration.ofSeconds(2);

  private final Wiring wiring;
  private final Inventory inventory;
  private final SpecBuilder specs;
  private final PodNamespaces namespaces;

  Commands(Wiring wiring, Inventory inventory, SpecBuilder specs, PodNamespaces namespaces) {
    this.wiring = wiring;
    this.inventory = inventory;
    this.specs = specs;
    this.namespaces = namespaces;
  }

  ExecResult execSync(String containerId, List<Bytes> command, Duration timeout) {
    Container container = inventory.container(containerId);
    long began = System.nanoTime();
    Collector collector = new Collector(wiring.kernel(), wiring.layout().root());
    wiring.failPoints().hit("exec-sync.start");
    LiveExec process =
        start(container, command, ExecChanges.NONE, false, new LaunchIo.Pipes(false));
    ExecSession session = null;
    ExecResult result = null;
    try {
      session =
          wiring
              .io()
              .exec(
                  Streams.of(wiring.kernel(), process, false),
                  new AttachRequest(false, true, true),
                  collector,
                  () -> await(process));
      wiring.failPoints().hit("exec-sync.await");
      int code = awaitExit(process, timeout);
      wiring.failPoints().hit("exec-sync.answer");
      if (!collector.awaitEnd(DRAIN_PATIENCE)) {
        // Something the command left behind holds its pipes: it is of the command, and goes too.
        process.killAll();
      }
      executed(container, command, code, began);
      result = collector.result(code);
      return result;
    } catch (InterruptedException e) {
      process.killAll();
      Thread.currentThread().interrupt();
      throw new JrtException(ErrorKind.CANCELLED, EXEC, "the caller went away", e);
    } finally {
      if (result == null) {
        collector.discard();
      }
      if (session != null) {
        session.close();
      }
      process.close();
    }
  }

  private static int awaitExit(LiveExec process, Duration timeout) throws InterruptedException {
    if (timeout.isZero() || timeout.isNegative()) {
      return process.awaitExit().status();
    }
    var exit = process.awaitExit(timeout);
    if (exit.isEmpty()) {
      process.killAll();
      process.awaitExit(Duration.ofSeconds(5));
      throw new JrtException(
          ErrorKind.DEADLINE,
          EXEC,
          "the command did not end within %s and was killed with all it started"
              .formatted(timeout));
    }
    return exit.get().status();
  }

  private static int await(LiveExec process) {
    try {
      return process.awaitExit().status();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new JrtException(ErrorKind.CANCELLED, EXEC, "interrupted", e);
    }
  }

  ExecSession exec(String containerId, ExecRequest request, StreamClient client) {
    Container container = inventory.container(containerId);
    long began = System.nanoTime();
    TerminalSize size = client.initialSize().orElse(new TerminalSize(80, 24));
    LaunchIo io =
        request.tty()
            ? new LaunchIo.Terminal(size.rows(), size.columns())
            : new LaunchIo.Pipes(request.stdin());
    LiveExec process = start(container, request.command(), request.changes(), request.tty(), io);
    try {
      ExecSession session =
          wiring
              .io()
              .exec(
                  Streams.of(wiring.kernel(), process, request.stdin()),
                  new AttachRequest(request.stdin(), request.stdout(), request.stderr()),
                  client,
                  () -> await(process));
      process.onExit(
          exit -> {
            executed(container, request.command(), exit.status(), began);
            process.close();
          });
      return session;
    } catch (RuntimeException e) {
      process.killAll();
      process.close();
      throw e;
    }
  }

  private LiveExec start(
      Container container, List<Bytes> command, ExecChanges changes, boolean tty, LaunchIo io) {
    if (command.isEmpty() || command.getFirst().isEmpty()) {
      throw new JrtException(ErrorKind.INVALID, EXEC, "no command is given");
    }
    LiveContainer live = running(container, EXEC);
    ContainerRecord record = changed(container.record(), live, changes);
    Pod pod = inventory.pod(container.podId());
    ProcessSpec own = specs.process(record, pod, new ArrayList<>());
    List<CString> environment = new ArrayList<>(own.env());
    boolean hasTerm =
        record.process().environment().stream().map(EnvVar::name).anyMatch("TERM"::equals);
    if (tty && !hasTerm) {
      environment.add(CString.of("TERM=xterm"));
    }
    List<CString> args = command.stream().map(arg -> CString.of(arg.toArray())).toList();
    ProcessSpec process =
        new ProcessSpec(
            args,
            environment,
            own.cwd(),
            own.user(),
            own.capabilities(),
            own.rlimits(),
            own.noNewPrivileges(),
            own.seccomp(),
            own.apparmorProfile(),
            own.selinuxLabel(),
            own.oomScoreAdj());
    return wiring
        .cgroups()
        .place(
            record.cgroup(),
            placement ->
                live.exec(
                    new ExecSpec(process, placement, wiring.config().clampUnpermitted()), io));
  }

  /** The container as it would be if its own process were to have these changes. */
  private ContainerRecord changed(ContainerRecord record, LiveContainer live, ExecChanges changes) {
    if (changes.equals(ExecChanges.NONE)) {
      return record;
    }
    UserPlan user = record.user();
    if (!changes.user().isEmpty()) {
      user =
          specs
              .rootfs()
              .withAccounts(
                  live.pid(),
                  accounts ->
                      UserMerge.merge(
                          record.config().security().withoutUser(),
                          new ImageUser(changes.user(), changes.group()),
                          accounts));
    } else if (!changes.group().isEmpty()) {
      throw new JrtException(
          ErrorKind.INVALID,
          EXEC,
          "group \"%s\" is asked for without a user".formatted(changes.group()));
    }
    return record.with(
        record.process().withChanges(changes.workingDirectory(), changes.environment()), user);
  }

  private void executed(Container container, List<Bytes> command, int code, long began) {
    wiring
        .events()
        .publish(
            new ContainerEvent.Executed(
                container.id(),
                container.podId(),
                command.stream().limit(8).map(Commands::shorten).toList(),
                code,
                TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began)));
  }

  private static String shorten(Bytes argument) {
    String text = argument.text();
    return text.length() <= 200 ? text : text.substring(0, 200) + "...";
  }

  StreamSession attach(String containerId, AttachRequest request, StreamClient client) {
    Container container = inventory.container(containerId);
    if (container.state() instanceof ContainerState.Created) {
      Optional<StreamSession> early = container.earlyClients().add(request, client);
      if (early.isPresent()) {
        return early.get();
      }
      // It is just being started.
      container.lock().lock();
      try {
        running(container, "attach");
      } finally {
        container.lock().unlock();
      }
    } else {
      running(container, "attach");
    }
    ContainerIo io =
        container
            .io()
            .orElseThrow(
                () ->
                    new JrtException(
                        ErrorKind.FAILED_PRECONDITION,
                        "attach",
                        "container %s has ended".formatted(container.id())));
    return io.attach(request, client);
  }

  void reopenLog(String containerId) {
    Container container = inventory.container(containerId);
    running(container, "reopen log");
    container.io().ifPresent(ContainerIo::reopenLog);
  }

  Fd portForward(String podId, int port) {
    Pod pod = inventory.pod(podId);
    ContainerLifecycle.requireReady(pod, "forward port");
    if (port < 1 || port > 65535) {
      throw new JrtException(
          ErrorKind.INVALID, "forward port", "port %d is not 1 to 65535".formatted(port));
    }
    try (Fd netns =
        namespaces
            .open(pod, NamespaceKind.NET)
            .orElseGet(() -> wiring.kernel().namespaces().open(Path.of("/proc/self/ns/net")))) {
      Fd socket = connect(netns, port);
      wiring.kernel().files().setStatusFlags(socket, OpenFlags.O_NONBLOCK);
      return socket;
    }
  }

  private Fd connect(Fd netns, int port) {
    RuntimeException first = null;
    for (byte[] address : List.of(new byte[] {127, 0, 0, 1}, loopback6())) {
      try {
        InetSocketAddress to = new InetSocketAddress(InetAddress.getByAddress(address), port);
        return wiring.kernel().sockets().connectTcp(netns, to, CONNECT_PATIENCE);
      } catch (UnknownHostException e) {
        throw new IllegalStateException("a loopback address has four or sixteen bytes", e);
      } catch (RuntimeException e) {
        first = first == null ? e : first;
      }
    }
    throw new JrtException(
        ErrorKind.UNAVAILABLE,
        "forward port",
        "cannot connect to port %d on localhost inside the pod: %s"
            .formatted(port, first == null ? "" : first.getMessage()),
        first);
  }

  private static byte[] loopback6() {
    byte[] address = new byte[16];
    address[15] = 1;
    return address;
  }

  private static LiveContainer running(Container container, String step) {
    boolean runs = container.state() instanceof ContainerState.Running;
    return container
        .live()
        .filter(_ -> runs)
        .orElseThrow(
            () ->
                new JrtException(
                    ErrorKind.FAILED_PRECONDITION,
                    step,
                    "container %s is %s"
                        .formatted(container.id(), ContainerRuns.describe(container.state()))));
  }
}
