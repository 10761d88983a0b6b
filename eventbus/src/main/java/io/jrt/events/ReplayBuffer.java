package io.jrt.events;

import com.google.common.eventbus.Subscribe;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The newest events in memory, and the readers that walk along them.
 *
 * <p>A reader is only a position: a thousand sleeping readers cost the publisher nothing but one
 * wake-up, and one that falls out of the buffer learns how much it missed.
 */
final class ReplayBuffer {
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition arrived = lock.newCondition();
  private final Recorded[] ring;
  private long newest;
  private long oldest;
  private boolean closed;

  /**
   * @param newest the sequence of the last event before this buffer's first
   */
  ReplayBuffer(int capacity, long newest) {
    this.ring = new Recorded[capacity];
    this.newest = newest;
    this.oldest = newest + 1;
  }

  @Subscribe
  void add(Recorded recorded) {
    lock.lock();
    try {
      ring[slot(recorded.sequence())] = recorded;
      newest = recorded.sequence();
      oldest = Math.max(oldest, newest - ring.length + 1);
      arrived.signalAll();
    } finally {
      lock.unlock();
    }
  }

  List<Recorded> all() {
    lock.lock();
    try {
      List<Recorded> kept = new ArrayList<>();
      for (long sequence = oldest; sequence <= newest; sequence++) {
        kept.add(ring[slot(sequence)]);
      }
      return kept;
    } finally {
      lock.unlock();
    }
  }

  Subscription readAfter(long sequence) {
    lock.lock();
    try {
      return new Reader(Math.min(sequence, newest) + 1);
    } finally {
      lock.unlock();
    }
  }

  Subscription readNew() {
    return readAfter(Long.MAX_VALUE);
  }

  void close() {
    lock.lock();
    try {
      closed = true;
      arrived.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private int slot(long sequence) {
    return (int) (sequence % ring.length);
  }

  private final class Reader implements Subscription {
    private long next;
    private boolean left;

    private Reader(long next) {
      this.next = next;
    }

    @Override
    public Optional<Delivery> next(Duration patience) throws InterruptedException {
      long nanos;
      try {
        nanos = patience.toNanos();
      } catch (ArithmeticException forEver) {
        nanos = Long.MAX_VALUE;
      }
      lock.lockInterruptibly();
      try {
        while (!left && !closed && next > newest) {
          if (nanos <= 0) {
            return Optional.empty();
          }
          nanos = arrived.awaitNanos(nanos);
        }
        if (left || next > newest) {
          return Optional.empty();
        }
        if (next < oldest) {
          long missed = oldest - next;
          next = oldest;
          return Optional.of(new Delivery.Missed(missed, next));
        }
        Recorded recorded = ring[slot(next)];
        next++;
        return Optional.of(new Delivery.Happened(recorded));
      } finally {
        lock.unlock();
      }
    }

    @Override
    public boolean isClosed() {
      lock.lock();
      try {
        return left || (closed && next > newest);
      } finally {
        lock.unlock();
      }
    }

    @Override
    public void close() {
      lock.lock();
      try {
        left = true;
        arrived.signalAll();
      } finally {
        lock.unlock();
      }
    }
  }
}
