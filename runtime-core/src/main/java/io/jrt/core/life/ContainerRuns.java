package io.jrt.core.life;

import io.jrt.core.ContainerConfig;
import io.jrt.core.ContainerState;
import io.jrt.core.device.DeviceInjection;
import io.jrt.core.io.ContainerIo;
import io.jrt.core.io.ContainerIoSpec;
import io.jrt.core.io.Stdio;
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
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Starting containers, stopping them, and taking them over; what follows, {@link ContainerEnds}.
 */
final class ContainerRuns {
  private static final Logger log = LoggerFactory.getLogger(ContainerRuns.class);
  static final String START = "start container";

  private final Wiring wiring;
  private final Inventory inventory;
  private final PodLifecycle pods;
  private final SpecBuilder specs;
  private final Limitations limitations;
  private final DeniedCalls deniedCalls;
  private final Borrowings borrowings;
  private final ContainerEnds ends;

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
    this.pods = pods;
    this.specs = specs;
    this.limitations = limitations;
    this.deniedCalls = deniedCalls;
    this.borrowings = new Borrowings(wiring, pods.namespaces());
    this.ends = new ContainerEnds(wiring, records, borrowings, pods.plugins());
  }

  ContainerEnds ends() {
    return ends;
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
        ends.failedToStart(container, e);
        throw e;
      } catch (OutOfMemoryError e) {
        JrtException why =
            new JrtException(ErrorKind.EXHAUSTED, START, String.valueOf(e.getMessage()), e);
        ends.failedToStart(container, why);
        throw why;
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
    DeviceInjection injection = specs.injection(record);
    DeviceGrant devices = specs.devices(record, injection);
    DeviceHooks hooks = new DeviceHooks(wiring, borrowings, pod, container, injection);
    operation.step("ask plugins");
    pods.plugins().start(pod, container);
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
      ends.startRecords(container)
          .put(
              "start",
              new StartRecord(
                  startedAt, live.pid(), container.oomKillsBefore(), container.grantedDevices()),
              Durability.CRASH);
      operation.step("serve streams");
      container.io(serveStreams(container, pod, live));
      hooks.started(live.pid());
    } catch (RuntimeException | OutOfMemoryError e) {
      abandon(container, live);
      throw e;
    }
    container.state(new ContainerState.Running(startedAt, live.pid()));
    wiring
        .events()
        .publish(new ContainerEvent.Started(container.id(), container.podId(), live.pid()));
    pods.plugins().started(pod, container);
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
                    ends.ended(container, live.awaitExit());
                  } catch (InterruptedException letGo) {
                    // The daemon goes; the next one watches.
                    Thread.currentThread().interrupt();
                  } catch (JrtException lost) {
                    ends.lost(container, String.valueOf(lost.getMessage()));
                  }
                }));
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
        case ContainerState.Unknown unknown -> ends.lost(container, unknown.why());
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

  /** Takes over a container whose keeper was found alive. */
  void takeOver(Container container, Pod pod, LiveContainer live) {
    container.lock().lock();
    try {
      Optional<StartRecord> start =
          ends.startRecords(container).load().records().stream().findFirst();
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
