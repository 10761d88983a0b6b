package io.jrt.core.life;

import io.jrt.core.ContainerState;
import io.jrt.core.ExitCause;
import io.jrt.core.launch.ExitRecord;
import io.jrt.core.launch.LiveContainer;
import io.jrt.core.store.ContainerRecord;
import io.jrt.core.store.Layout;
import io.jrt.core.store.RecordStore;
import io.jrt.core.store.StartRecord;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.events.ContainerEvent;
import io.jrt.linux.WholeFile.Durability;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalInt;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is done when a container has ended, or is found to have.
 *
 * <p>The order: what is left in its cgroup is killed, so that its pipes end; the last output is
 * logged; the exit is stored; only then the state changes, the keeper is let go and the cgroup
 * goes. A daemon that dies in between does all of it again, with the same outcome.
 */
final class ContainerEnds {
  private static final Logger log = LoggerFactory.getLogger(ContainerEnds.class);

  private final Wiring wiring;
  private final RecordStore<ContainerRecord> records;
  private final Borrowings borrowings;
  private final PluginCalls plugins;
  private final KernelLog kernelLog;

  ContainerEnds(
      Wiring wiring,
      RecordStore<ContainerRecord> records,
      Borrowings borrowings,
      PluginCalls plugins) {
    this.wiring = wiring;
    this.records = records;
    this.borrowings = borrowings;
    this.plugins = plugins;
    this.kernelLog = new KernelLog(wiring.kernel().files(), Path.of("/dev/kmsg"));
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

  /** It never ran: why, its state tells. */
  void failedToStart(Container container, RuntimeException why) {
    ErrorKind kind = why instanceof JrtException known ? known.kind() : ErrorKind.INTERNAL;
    String step = why instanceof JrtException known ? known.step() : ContainerRuns.START;
    boolean cannotRun = step.equals(ContainerRuns.START) && kind != ErrorKind.INTERNAL;
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
    } catch (RuntimeException | OutOfMemoryError e) {
      container.state(new ContainerState.Exited(Optional.empty(), Instant.now(), cause));
      why.addSuppressed(e);
      log.error("cleaning up after container {} failed: {}", container.id(), e.getMessage(), e);
    }
    wiring
        .events()
        .publish(
            new ContainerEvent.StartFailed(
                container.id(), container.podId(), code, reason, message));
  }

  /** Its process has ended: see the class comment. */
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
        container.letGoOfImages();
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
    plugins.stopped(container);
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
      // One that was not taken over, because its record cannot be read, would wait for ever.
      attempt(container, "end the keeper of", () -> discardKeeper(container));
      ExitCause cause = Exits.unknown(why);
      storeEnd(container, new ContainerRecord.End(startedAt, Instant.now(), cause));
      attempt(container, "clean up after", () -> releaseRuntimeParts(container));
      publishEnd(container, cause, 0);
    } finally {
      container.lock().unlock();
    }
  }

  private void discardKeeper(Container container) {
    Path keeper = wiring.layout().keeper(container.id());
    if (Files.isDirectory(keeper)) {
      wiring.launcher().discard(keeper);
    }
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
}
