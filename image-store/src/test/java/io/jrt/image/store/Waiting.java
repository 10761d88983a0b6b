package io.jrt.image.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;

/** Waiting for what others do, not for a time. */
final class Waiting {
  private static final Duration LONGEST = Duration.ofSeconds(30);

  private Waiting() {}

  static void until(String what, Callable<Boolean> condition) throws Exception {
    long end = System.nanoTime() + LONGEST.toNanos();
    while (!condition.call()) {
      assertThat(System.nanoTime()).as("%s, within %s", what, LONGEST).isLessThan(end);
      Thread.sleep(5);
    }
  }

  static void quietly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
