package io.jrt.core.life;

import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * When a container that is being stopped will be killed: each stop can bring that moment nearer,
 * none can put it off.
 */
final class StopClock {
  private static final long FOR_EVER = Long.MAX_VALUE / 2;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private boolean asked;
  private boolean ended;
  private long killAt;

  /**
   * Asks for the container to be killed after this time.
   *
   * @return whether this was the first stop, whose caller is to send the stop signal
   */
  boolean ask(Duration grace) {
    lock.lock();
    try {
      long wanted = System.nanoTime() + nanos(grace);
      boolean first = !asked;
      if (first || wanted - killAt < 0) {
        killAt = wanted;
        changed.signalAll();
      }
      asked = true;
      return first;
    } finally {
      lock.unlock();
    }
  }

  /** The container has ended: nobody need wait any more. */
  void end() {
    lock.lock();
    try {
      ended = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits until it is time to kill.
   *
   * @return false when the container ended before
   */
  boolean awaitKillTime() throws InterruptedException {
    lock.lockInterruptibly();
    try {
      while (!ended) {
        long left = killAt - System.nanoTime();
        if (left <= 0) {
          return true;
        }
        changed.awaitNanos(left);
      }
      return false;
    } finally {
      lock.unlock();
    }
  }

  private static long nanos(Duration grace) {
    return grace.compareTo(Duration.ofNanos(FOR_EVER)) > 0
        ? FOR_EVER
        : Math.max(0, grace.toNanos());
  }
}
