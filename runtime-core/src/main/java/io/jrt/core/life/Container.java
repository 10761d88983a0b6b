package io.jrt.core.life;

import io.jrt.core.ContainerState;
import io.jrt.core.ContainerSummary;
import io.jrt.core.io.ContainerIo;
import io.jrt.core.launch.LiveContainer;
import io.jrt.core.store.ContainerRecord;
import io.jrt.image.ImageTree;
import io.jrt.security.DeviceRule;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A container as this daemon holds it: its record, its state, and the handles on what runs of it.
 *
 * <p>The state is replaced whole and read without a lock. The handles are there from the start of
 * its process until the exit is stored.
 */
final class Container {
  private final ReentrantLock lock = new ReentrantLock();
  private final CountDownLatch ended = new CountDownLatch(1);
  private final StopClock stopClock = new StopClock();
  private final EarlyClients earlyClients = new EarlyClients();
  private volatile ContainerRecord record;
  private volatile ContainerState state;
  private volatile boolean answered;
  private volatile @Nullable LiveContainer live;
  private volatile @Nullable ContainerIo io;
  private @Nullable Thread watcher;
  private volatile boolean killedByRuntime;
  private volatile long oomKillsBefore;
  private volatile List<DeviceRule> grantedDevices = List.of();
  private final List<ImageTree> imageTrees = new ArrayList<>();

  Container(ContainerRecord record, ContainerState state, boolean answered) {
    this.record = record;
    this.state = state;
    this.answered = answered;
    if (state instanceof ContainerState.Exited) {
      ended.countDown();
      stopClock.end();
    }
  }

  String id() {
    return record.id();
  }

  String podId() {
    return record.podId();
  }

  ContainerRecord record() {
    return record;
  }

  void record(ContainerRecord next) {
    record = next;
  }

  ContainerState state() {
    return state;
  }

  void state(ContainerState next) {
    state = next;
    if (next instanceof ContainerState.Exited(var startedAt, var finishedAt, var cause)) {
      ended.countDown();
      stopClock.end();
      earlyClients.drop("container " + id() + " did not start: " + cause.message());
    }
  }

  /** Who attached before it started. */
  EarlyClients earlyClients() {
    return earlyClients;
  }

  boolean answered() {
    return answered;
  }

  void markAnswered() {
    answered = true;
  }

  /** Opens when the container has ended and that is stored. */
  CountDownLatch ended() {
    return ended;
  }

  StopClock stopClock() {
    return stopClock;
  }

  /** Guards the handles and the storing of the exit. */
  ReentrantLock lock() {
    return lock;
  }

  Optional<LiveContainer> live() {
    return Optional.ofNullable(live);
  }

  void live(@Nullable LiveContainer process) {
    live = process;
  }

  Optional<ContainerIo> io() {
    return Optional.ofNullable(io);
  }

  void io(@Nullable ContainerIo streams) {
    io = streams;
  }

  /** Waits for the end of the process on a thread of its own, and hears what became of it. */
  void watch(Thread thread) {
    watcher = thread;
    thread.start();
  }

  /** Hears no more of the end of its process. */
  void unwatch() {
    Thread waiting = watcher;
    if (waiting != null) {
      waiting.interrupt();
    }
    watcher = null;
  }

  /** Whether the runtime itself sent it a signal that ends it. */
  boolean killedByRuntime() {
    return killedByRuntime;
  }

  void markKilledByRuntime() {
    killedByRuntime = true;
  }

  long oomKillsBefore() {
    return oomKillsBefore;
  }

  void oomKillsBefore(long count) {
    oomKillsBefore = count;
  }

  /** Device rules beyond those that every container has, while it runs. */
  List<DeviceRule> grantedDevices() {
    return grantedDevices;
  }

  void grantedDevices(List<DeviceRule> rules) {
    grantedDevices = List.copyOf(rules);
  }

  /** Images whose layers it has mounted: they are held until it has ended. */
  void hold(ImageTree tree) {
    synchronized (imageTrees) {
      imageTrees.add(tree);
    }
  }

  void letGoOfImages() {
    synchronized (imageTrees) {
      imageTrees.forEach(ImageTree::close);
      imageTrees.clear();
    }
  }

  ContainerSummary summary() {
    ContainerRecord now = record;
    return new ContainerSummary(
        now.id(),
        now.podId(),
        now.config().metadata(),
        now.config().image(),
        now.imageRef(),
        now.imageId(),
        state,
        now.createdAt(),
        now.config().labels(),
        now.config().annotations());
  }
}
