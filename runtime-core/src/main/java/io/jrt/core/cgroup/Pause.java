package io.jrt.core.cgroup;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.time.Duration;

/** Sleeping between looks at a kernel file that cannot be waited on. */
final class Pause {
  private Pause() {}

  static void of(Duration wanted, Duration longest) {
    try {
      Thread.sleep(wanted.compareTo(longest) < 0 ? wanted : longest);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new JrtException(
          ErrorKind.CANCELLED, "wait for cgroup", "interrupted while waiting for a cgroup", e);
    }
  }

  /**
   * Looks again and again, at growing distance, until it is so or the time is over.
   *
   * @return whether it became so
   */
  static boolean until(Duration timeout, Check check) {
    long end = System.nanoTime() + timeout.toNanos();
    for (int round = 0; ; round++) {
      if (check.holds()) {
        return true;
      }
      if (System.nanoTime() - end >= 0) {
        return false;
      }
      of(Duration.ofNanos(500_000L << Math.min(round, 5)), Duration.ofMillis(20));
    }
  }

  /** What is waited for. */
  @FunctionalInterface
  interface Check {
    boolean holds();
  }
}
