package io.jrt.core.launch;

import io.jrt.errors.JrtException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The end of a process: not yet, known, or lost; told to whoever waits. */
final class ExitLatch {
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition settled = lock.newCondition();
  private final List<Consumer<ExitRecord>> actions = new ArrayList<>();
  private @Nullable ExitRecord exit;
  private @Nullable JrtException lost;

  void complete(ExitRecord record) {
    List<Consumer<ExitRecord>> due;
    lock.lock();
    try {
      if (exit != null || lost != null) {
        return;
      }
      exit = record;
      due = List.copyOf(actions);
      actions.clear();
      settled.signalAll();
    } finally {
      lock.unlock();
    }
    due.forEach(action -> run(action, record));
  }

  /** Nobody can tell any more: those who wait get this error. */
  void lose(JrtException why) {
    lock.lock();
    try {
      if (exit == null && lost == null) {
        lost = why;
        actions.clear();
        settled.signalAll();
      }
    } finally {
      lock.unlock();
    }
  }

  Optional<ExitRecord> now() {
    lock.lock();
    try {
      return Optional.ofNullable(exit);
    } finally {
      lock.unlock();
    }
  }

  ExitRecord await() throws InterruptedException {
    lock.lock();
    try {
      while (exit == null) {
        if (lost != null) {
          throw lost;
        }
        settled.await();
      }
      return exit;
    } finally {
      lock.unlock();
    }
  }

  Optional<ExitRecord> await(Duration timeout) throws InterruptedException {
    long left = TimeUnit.NANOSECONDS.convert(timeout);
    lock.lock();
    try {
      while (exit == null) {
        if (lost != null) {
          throw lost;
        }
        if (left <= 0) {
          return Optional.empty();
        }
        left = settled.awaitNanos(left);
      }
      return Optional.of(exit);
    } finally {
      lock.unlock();
    }
  }

  void onExit(Consumer<ExitRecord> action) {
    ExitRecord known;
    lock.lock();
    try {
      known = exit;
      if (known == null) {
        actions.add(action);
      }
    } finally {
      lock.unlock();
    }
    if (known != null) {
      run(action, known);
    }
  }

  private static void run(Consumer<ExitRecord> action, ExitRecord record) {
    Thread.ofVirtual().name("on-exit").start(() -> action.accept(record));
  }
}
