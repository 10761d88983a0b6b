package io.jrt.image.store;

import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Syncs a filesystem for many at once: who comes while a sync runs waits for the next one, which
 * covers all that came meanwhile.
 */
final class SyncGroup {
  private final Runnable sync;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition ended = lock.newCondition();
  private boolean running;
  private long started;
  private long completed;

  SyncGroup(Runnable sync) {
    this.sync = sync;
  }

  /** Returns when a sync that began after this call has ended. */
  void sync() {
    lock.lock();
    try {
      long mine = started + 1;
      while (completed < mine) {
        if (running) {
          ended.awaitUninterruptibly();
        } else {
          runOne();
        }
      }
    } finally {
      lock.unlock();
    }
  }

  private void runOne() {
    running = true;
    long number = ++started;
    lock.unlock();
    boolean done = false;
    try {
      sync.run();
      done = true;
    } finally {
      lock.lock();
      running = false;
      if (done) {
        completed = number;
      } else {
        // Nobody may take a failed sync for one that was: the next caller tries again.
        started = completed;
      }
      ended.signalAll();
    }
  }
}
