package io.jrt.image.store;

import io.jrt.errors.JrtException;
import io.jrt.linux.Threads;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Syncs a filesystem for many at once: who comes while a sync runs waits for the next one, which
 * covers all that came meanwhile.
 *
 * <p>The kernel tells a write error to one sync only. So it counts for everybody who wrote before
 * that one ended: each takes a mark before it writes, and gives it when it syncs.
 */
final class SyncGroup {
  private static final Logger LOG = LoggerFactory.getLogger(SyncGroup.class);

  private final Runnable sync;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition ended = lock.newCondition();
  private boolean running;
  private boolean ahead;
  private long started;
  private long completed;
  private long failures;
  private RuntimeException failure = new IllegalStateException("no sync failed");

  SyncGroup(Runnable sync) {
    this.sync = sync;
  }

  /** To be taken before the first write that a later sync is to cover. */
  long mark() {
    lock.lock();
    try {
      return failures;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Returns when a sync that began after this call has ended.
   *
   * @param mark of before the writes
   * @throws RuntimeException of a sync that failed since the mark
   */
  void sync(long mark) {
    lock.lock();
    try {
      long mine = started + 1;
      while (completed < mine && failures == mark) {
        if (running) {
          ended.awaitUninterruptibly();
        } else {
          runOne();
        }
      }
      if (failures != mark) {
        throw failure;
      }
    } finally {
      lock.unlock();
    }
  }

  /** Begins a sync in the background unless one runs, so that a later one has less to do. */
  void ahead() {
    lock.lock();
    try {
      if (running || ahead) {
        return;
      }
      ahead = true;
    } finally {
      lock.unlock();
    }
    try {
      Threads.start(Thread.ofPlatform().daemon().name("jrt-sync").unstarted(this::runAhead));
    } catch (JrtException e) {
      LOG.debug("no sync ahead: {}", e.getMessage());
      lock.lock();
      try {
        ahead = false;
      } finally {
        lock.unlock();
      }
    }
  }

  private void runAhead() {
    lock.lock();
    try {
      ahead = false;
      if (!running) {
        runOne();
      }
    } finally {
      lock.unlock();
    }
  }

  private void runOne() {
    running = true;
    long number = ++started;
    lock.unlock();
    RuntimeException broken = null;
    try {
      sync.run();
    } catch (RuntimeException e) {
      LOG.warn("what was written may not be on the disk", e);
      broken = e;
    } finally {
      lock.lock();
      running = false;
      completed = number;
      if (broken != null) {
        failure = broken;
        failures++;
      }
      ended.signalAll();
    }
  }
}
