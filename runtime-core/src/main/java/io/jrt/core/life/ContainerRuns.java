package io.jrt.core.life;

import io.jrt.core.ContainerConfig;
import io.jrt.core.ContainerState;
import io.jrt.core.ExitCause;
import io.jrt.core.device.DeviceInjection;
import io.jrt.core.io.ContainerIo;
import io.jrt.core.io.ContainerIoSpec;
import io.jrt.core.io.Stdio;
import io.jrt.core.launch.ExitRecord;
import io.jrt.core.launch.LiveContainer;
import io.jrt.core.op.Operation;
import io.jrt.core.store.ContainerRecord;
import io.jrt.core.store.Layout;
import io.jrt.core.store.RecordStore;
import io.jrt.core.store.StartRecord;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.events.ContainerEvent;
import io.jrt.linux.Signals;
import io.jrt.linux.WholeFile.Durability;
import io.jrt.security.DeviceGrant;
import io.jrt.security.DeviceRule;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Starting containers, ending them, and what is done when one has ended.
 *
 * <p>The order at an end: what is left in its cgroup is killed, so that its pipes end; the last
 * output is logged; the exit is stored; only then the state changes, the keeper is let go and the
 * cgroup goes. A daemon that dies in between does all of it again, with the same outcome.
 */
final class ContainerRuns {
  private static final Logger log = LoggerFactory.getLogger(ContainerRuns.class);
  private static final String START = "start container";

  private final Wiring wiring;
  private final Inventory inventory;
  private final RecordStore<ContainerRecord> records;
  private final PodLifecycle pods;
  private final SpecBuilder specs;
  private final Limitations limitations;
  private final DeniedCalls deniedCalls;
  private final Borrowings borrowings;
  private final KernelLog kernelLog;

  ContainerRuns(
      Wiring wiring,
      Inventory inventory,
      RecordStore<ContainerRecord> records,
      PodLifecycle pods,
      SpecBuilder specs,
      Limitations limitations,
      DeniedCalls deniedCalls) {
    this.wiring = wiring;
    this.inventory = inventory;
    this.records = records;
    this.pods = pods;
    this.specs = specs;
    this.limitations = limitations;
    this.deniedCalls = deniedCalls;
    this.borrowings = new Borrowings(wiring, pods.namespaces());
    this.kernelLog = new KernelLog(wiring.kernel().files(), Path.of("/dev/kmsg"));
  }

  /** Starts a created container. */
  void start(Operation operation, Container container) {
    container.lock().lock();
    try {
      Pod pod = inventory.pod(container.podId());
      if (!(container.state() instanceof ContainerState.Created)) {
        throw new JrtException(
            ErrorKind.FAILED_PRECONDITION,
            START,
            "container %s is %s, not created"
                .formatted(container.id(), describe(container.state())));
      }
      ContainerLifecycle.requireReady(pod, START);
      try {
        launch(operation, container, pod);
      } catch (RuntimeException e) {
        failedToStart(container, e);
        throw e;
      }
    } finally {
      container.lock().unlock();
    }
  }

  private void launch(Operation operation, Container container, Pod pod) {
    ContainerRecord record = container.record();
    ContainerConfig config = record.config();
    deniedCalls.watch(container);
    Path keeperDir = Layout.makeDirectory(wiring.layout().keeper(container.id()));
    Optional<LiveContainer> podInit =
        SpecBuilder.needsPodInit(config)
            ? Optional.of(pods.inits().ensure(operation, pod))
            : Optional.empty();
    DeviceInjection injection = specs.injection(record.cdiDevices(), record.user());
    DeviceGrant devices = specs.devices(record, injection);
    DeviceHooks hooks = new DeviceHooks(wiring, borrowings, pod, container, injection);
    operation.step("take devices");
    borrowings.take(pod, container.id(), injection);
    operation.step("make cgroup");
    wiring.cgroups().createContainer(record.cgroup(), record.resources(), devices.rules());
    container.oomKillsBefore(wiring.cgroups().oomKills(record.cgroup()));
    container.grantedDevices(
        devices.rules().subList(baseRules(container).size(), devices.rules().size()));
    LiveContainer live;
    try (LaunchPlan plan = new LaunchPlan()) {
      live =
          wiring
              .cgroups()
              .place(
                  record.cgroup(),
                  placement -> {
                    operation.step("prepare mounts");
                    LaunchPlan.Decided decided =
                        specs.build(plan, container, pod, podInit, injection, devices, placement);
                    limitations.addAll(decided.notes());
                    operation.step("launch");
                    return hooks.start(
                        decided.spec(), ContainerMounts.streams(container), keeperDir);
                  });
    }
    settle(container, live);
    limitations.addAll(
        live.clamped().stream()
            .map(what -> what + " could not be set as asked: the daemon lacks the privilege")
            .toList());
    Instant startedAt = Instant.now();
    container.live(live);
    try {
      operation.step("note start");
      startRecords(container)
          .put(
              "start",
              new StartRecord(
                  startedAt, live.pid(), container.oomKillsBefore(), container.grantedDevices()),
              Durability.CRASH);
      operation.step("serve streams");
      container.io(serveStreams(container, pod, live));
      hooks.started(live.pid());
    } catch (RuntimeException e) {
      abandon(container, live);
      throw e;
    }
    container.state(new ContainerState.Running(startedAt, live.pid()));
    wiring
        .events()
        .publish(new ContainerEvent.Started(container.id(), container.podId(), live.pid()));
    watch(container, live);
  }

  private void settle(Container container, LiveContainer live) {
    try {
      wiring.cgroups().settle(container.record().cgroup(), live.keeperPid());
    } catch (RuntimeException e) {
      abandon(container, live);
      throw e;
    }
  }

  private void watch(Container container, LiveContainer live) {
    container.watch(
        Thread.ofVirtual()
            .name("container " + container.id().substring(0, 12))
            .unstarted(
                () -> {
                  try {
                    ended(container, live.awaitExit());
                  } catch (InterruptedException letGo) {
                    // The daemon goes; the next one watches.
                    Thread.currentThread().interrupt();
                  } catch (JrtException lost) {
                    lost(container, String.valueOf(lost.getMessage()));
                  }
                }));
  }

  /** The container's start record lies in its boot-scoped directory: it matters while it runs. */
  RecordStore<StartRecord> startRecords(Container container) {
    return new RecordStore<>(
        wiring.layout().container(container.id()),
        "start",
        1,
        StartRecord.class,
        e -> e,
        wiring.failPoints());
  }

  ContainerIo serveStreams(Container container, Pod pod, LiveContainer live) {
    ContainerConfig config = container.record().config();
    ContainerIoSpec spec =
        new ContainerIoSpec(
            container.id(),
            Layout.makeDirectory(wiring.layout().io(container.id())),
            ContainerIoSpec.logTarget(pod.record().config().logDirectory(), config.logPath()),
            config.stdinOnce());
    Stdio stdio = Streams.of(wiring.kernel(), live, config.stdin());
    if (config.stdinOnce()) {
      // The first client's end is the end of input: the keeper must not hold it open.
      live.closeStdin();
    }
    return wiring.io().container(spec, stdio, container.earlyClients()::join);
  }

  private void abandon(Container container, LiveContainer live) {
    live.kill(Signals.SIGKILL);
    try {
      if (live.awaitExit(wiring.config().killPatience()).isPresent()) {
        live.acknowledge();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException e) {
      log.warn("container {} could not be ended cleanly: {}", container.id(), e.getMessage());
    }
    live.close();
    container.live(null);
  }

  private void failedToStart(Container container, RuntimeException why) {
    ErrorKind kind = why instanceof JrtException known ? known.kind() : ErrorKind.INTERNAL;
    String step = why instanceof JrtException known ? known.step() : START;
    boolean cannotRun = step.equals(START) && kind != ErrorKind.INTERNAL;
    int code =
        switch (kind) {
          case NOT_FOUND -> cannotRun ? 127 : 128;
          case DENIED, INVALID -> cannotRun ? 126 : 128;
          case ALREADY_EXISTS,
              FAILED_PRECONDITION,
              UNAVAILABLE,
              UNAUTHENTICATED,
              NO_SPACE,
              EXHAUSTED,
              DEADLINE,
              CANCELLED,
              UNIMPLEMENTED,
              DATA_LOSS,
              INTERNAL ->
              128;
        };
    String reason = code == 128 ? "StartError" : "ContainerCannotRun";
    String message = String.valueOf(why.getMessage());
    ExitCause cause = new ExitCause(code, OptionalInt.empty(), reason, message);
    try {
      releaseRuntimeParts(container);
      storeEnd(container, new ContainerRecord.End(Optional.empty(), Instant.now(), cause));
    } catch (RuntimeException e) {
      log.error("cleaning up after container {} failed: {}", container.id(), e.getMessage(), e);
      why.addSuppressed(e);
      container.state(new ContainerState.Exited(Optional.empty(), Instant.now(), cause));
    }
    wiring
        .events()
        .publish(
            new ContainerEvent.StartFailed(
                container.id(), container.podId(), code, reason, message));
  }

  /** Its process has ended: see the order in the class comment. */
  void ended(Container container, ExitRecord exit) {
    container.lock().lock();
    try {
      if (container.state() instanceof ContainerState.Exited) {
        return;
      }
      String cgroup = container.record().cgroup();
      attempt(
          container,
          "kill the rest of",
          () -> {
            wiring.failPoints().hit("container-exit.kill-rest");
            wiring.cgroups().killAll(cgroup);
          });
      attempt(container, "finish the output of", () -> finishOutput(container));
      container.io(null);
      long oomKills = oomKills(container);
      ExitCause cause =
          Exits.cause(
              exit,
              oomKills,
              container.record().resources().memoryLimit(),
              container.killedByRuntime(),
              () -> mainWasKilled(container, exit));
      Optional<Instant> startedAt = startedAt(container);
      try {
        wiring.failPoints().hit("container-exit.store");
        storeEnd(container, new ContainerRecord.End(startedAt, exit.at(), cause));
      } catch (RuntimeException e) {
        // A full disk must not make it run for ever. The keeper still knows, and tells the next
        // daemon; it is let go when the container is removed.
        log.error("the exit of container {} cannot be stored: {}", container.id(), e.getMessage());
        container.state(new ContainerState.Exited(startedAt, exit.at(), cause));
        publishEnd(container, cause, oomKills);
        return;
      }
      letGoOfKeeper(container);
      attempt(container, "clean up after", () -> releaseRuntimeParts(container));
      publishEnd(container, cause, oomKills);
    } finally {
      container.lock().unlock();
    }
  }

  private void finishOutput(Container container) {
    wiring.failPoints().hit("container-exit.finish-output");
    container
        .io()
        .ifPresent(
            io -> {
              if (!io.finish(wiring.config().outputPatience())) {
                log.warn("output of container {} did not end with it", container.id());
              }
            });
  }

  /** Lets the keeper of an ended container go, if it is still held. */
  void letGoOfKeeper(Container container) {
    container.lock().lock();
    try {
      container
          .live()
          .ifPresent(
              live -> {
                attempt(container, "let go of", live::acknowledge);
                live.close();
              });
      container.live(null);
    } finally {
      container.lock().unlock();
    }
  }

  private void publishEnd(Container container, ExitCause cause, long oomKills) {
    boolean outOfMemory = cause.reason().equals(Exits.OOM_KILLED);
    if (oomKills > 0 && !outOfMemory) {
      wiring
          .events()
          .publish(new ContainerEvent.OutOfMemory(container.id(), container.podId(), oomKills));
    }
    String sentBy =
        outOfMemory
            ? "kernel"
            : cause.signal().isPresent() && container.killedByRuntime() ? "runtime" : "";
    wiring
        .events()
        .publish(
            new ContainerEvent.Exited(
                container.id(),
                container.podId(),
                cause.code(),
                cause.signal(),
                cause.reason(),
                cause.message(),
                sentBy));
  }

  private KernelLog.Victim mainWasKilled(Container container, ExitRecord exit) {
    return container.state() instanceof ContainerState.Running(Instant startedAt, int pid)
        ? kernelLog.victim(pid, startedAt, exit.at())
        : KernelLog.Victim.UNTOLD;
  }

  private long oomKills(Container container) {
    try {
      return Math.max(
          0, wiring.cgroups().oomKills(container.record().cgroup()) - container.oomKillsBefore());
    } catch (RuntimeException e) {
      log.warn("cannot tell whether container {} ran out of memory", container.id(), e);
      return 0;
    }
  }

  private static Optional<Instant> startedAt(Container container) {
    return switch (container.state()) {
      case ContainerState.Running running -> Optional.of(running.startedAt());
      case ContainerState.Unknown unknown -> unknown.startedAt();
      case ContainerState.Exited exited -> exited.startedAt();
      case ContainerState.Created _ -> Optional.empty();
    };
  }

  /** Stores how it ended and tells it. */
  void storeEnd(Container container, ContainerRecord.End end) {
    ContainerRecord record = container.record().withEnd(end);
    records.put(container.id(), record, Durability.POWER_CUT);
    container.record(record);
    container.state(new ContainerState.Exited(end.startedAt(), end.finishedAt(), end.cause()));
  }

  /** Gives back what a container has borrowed of the node, whether it is known or not. */
  void giveBackDevices(String containerId) {
    borrowings.giveBack(containerId);
  }

  /** Gives back what only a running container needs. */
  void releaseRuntimeParts(Container container) {
    container.letGoOfImages();
    Releases releases = new Releases("release container " + container.id());
    releases.attempt(() -> wiring.cgroups().killAll(container.record().cgroup()));
    releases.attempt(() -> wiring.cgroups().remove(container.record().cgroup()));
    releases.attempt(() -> DeviceHooks.ended(wiring, container.id()));
    releases.attempt(() -> borrowings.giveBack(container.id()));
    releases.attempt(() -> Layout.removeDirectory(wiring.layout().container(container.id())));
    releases.finish();
  }

  private static void attempt(Container container, String what, Runnable step) {
    try {
      step.run();
    } catch (RuntimeException e) {
      log.warn("cannot {} container {}: {}", what, container.id(), e.getMessage(), e);
    }
  }

  /** Asks it to stop, and kills it when the grace time, of this stop or a later one, is over. */
  void stop(Container container, Duration grace) {
    container.lock().lock();
    try {
      switch (container.state()) {
        case ContainerState.Created _, ContainerState.Exited _ -> {
          return;
        }
        case ContainerState.Running _, ContainerState.Unknown _ -> {}
      }
      int signal = container.record().process().stopSignal();
      boolean first = container.stopClock().ask(grace);
      if (first) {
        wiring
            .events()
            .publish(
                new ContainerEvent.StopRequested(
                    container.id(), container.podId(), Signals.name(signal), grace.toMillis()));
      }
      if (first && grace.isPositive()) {
        container.markKilledByRuntime();
        container.live().ifPresent(live -> live.kill(signal));
      }
    } finally {
      container.lock().unlock();
    }
    try {
      if (container.stopClock().awaitKillTime()) {
        kill(container);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new JrtException(ErrorKind.CANCELLED, "stop container", "interrupted", e);
    }
  }

  /** Kills every process of it, and waits until its end is stored. */
  void kill(Container container) {
    // A start under way is waited for: after it there is something to kill, or nothing ever.
    container.lock().lock();
    try {
      switch (container.state()) {
        case ContainerState.Created _, ContainerState.Exited _ -> {
          return;
        }
        case ContainerState.Running _ -> {
          container.markKilledByRuntime();
          container.live().ifPresent(live -> live.kill(Signals.SIGKILL));
        }
        case ContainerState.Unknown unknown -> lost(container, unknown.why());
      }
    } finally {
      container.lock().unlock();
    }
    wiring.cgroups().killAll(container.record().cgroup());
    try {
      Duration patience = wiring.config().killPatience().plus(wiring.config().outputPatience());
      if (!container.ended().await(patience.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new JrtException(
            ErrorKind.UNAVAILABLE,
            "kill container",
            "container %s does not die of SIGKILL: processes %s of its cgroup are still there"
                .formatted(
                    container.id(), wiring.cgroups().processes(container.record().cgroup())));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new JrtException(ErrorKind.CANCELLED, "kill container", "interrupted", e);
    }
  }

  /**
   * Nobody saw, or will see, how it ended: what is left of it in its cgroup is killed, and it
   * counts as ended. Where that fails its state is unknown until a stop gets it done.
   */
  void lost(Container container, String why) {
    container.lock().lock();
    try {
      if (container.state() instanceof ContainerState.Exited) {
        return;
      }
      Optional<Instant> startedAt =
          startedAt(container)
              .or(
                  () ->
                      Files.isDirectory(wiring.layout().container(container.id()))
                          ? startRecords(container).load().records().stream()
                              .findFirst()
                              .map(StartRecord::startedAt)
                          : Optional.empty());
      container.state(new ContainerState.Unknown(startedAt, why));
      wiring.cgroups().killAll(container.record().cgroup());
      container.io().ifPresent(io -> io.finish(wiring.config().outputPatience()));
      container.io(null);
      container.live().ifPresent(LiveContainer::close);
      container.live(null);
      ExitCause cause = Exits.unknown(why);
      storeEnd(container, new ContainerRecord.End(startedAt, Instant.now(), cause));
      attempt(container, "clean up after", () -> releaseRuntimeParts(container));
      publishEnd(container, cause, 0);
    } finally {
      container.lock().unlock();
    }
  }

  /** Takes over a container whose keeper was found alive. */
  void takeOver(Container container, Pod pod, LiveContainer live) {
    container.lock().lock();
    try {
      Optional<StartRecord> start = startRecords(container).load().records().stream().findFirst();
      container.oomKillsBefore(start.map(StartRecord::oomKills).orElse(0L));
      container.grantedDevices(start.map(StartRecord::devices).orElse(List.of()));
      start.ifPresent(_ -> restoreDevices(container));
      deniedCalls.watch(container);
      container.live(live);
      container.io(serveStreams(container, pod, live));
      container.state(
          new ContainerState.Running(
              start.map(StartRecord::startedAt).orElseGet(() -> keeperTime(container)),
              live.pid()));
      watch(container, live);
    } finally {
      container.lock().unlock();
    }
  }

  private List<DeviceRule> baseRules(Container container) {
    return wiring.security().deviceRules(container.record().config().security().privileged());
  }

  /**
   * Puts the device rules of a running container in force again where somebody changed them. What
   * cannot be put back is told and ends nothing: the container has lost it already.
   */
  void restoreDevices(Container container) {
    List<DeviceRule> rules = new ArrayList<>(baseRules(container));
    rules.addAll(container.grantedDevices());
    try {
      if (wiring.cgroups().restoreDevices(container.record().cgroup(), rules)) {
        log.warn(
            "somebody changed the device rules of container {}; they are put back", container.id());
      }
    } catch (RuntimeException e) {
      log.warn("device rules of container {}: {}", container.id(), e.getMessage());
    }
  }

  /** When the keeper's directory was made, for a daemon that died before noting the start. */
  private Instant keeperTime(Container container) {
    try {
      return Files.getLastModifiedTime(wiring.layout().keeper(container.id())).toInstant();
    } catch (IOException e) {
      return container.record().createdAt();
    }
  }

  static String describe(ContainerState state) {
    return switch (state) {
      case ContainerState.Created _ -> "created";
      case ContainerState.Running _ -> "running";
      case ContainerState.Exited _ -> "exited";
      case ContainerState.Unknown _ -> "in an unknown state";
    };
  }
}
