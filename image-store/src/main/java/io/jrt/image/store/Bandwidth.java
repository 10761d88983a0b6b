package io.jrt.image.store;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;

/** Shares a number of bytes a second among all pulls of the node. */
final class Bandwidth {
  private final long bytesPerSecond;
  private long paidUntil = System.nanoTime();

  /**
   * @param bytesPerSecond 0 is no limit
   */
  Bandwidth(long bytesPerSecond) {
    this.bytesPerSecond = bytesPerSecond;
  }

  /** Waits until so many bytes may have been fetched. */
  void spend(long bytes) {
    if (bytesPerSecond <= 0) {
      return;
    }
    long wait;
    synchronized (this) {
      long now = System.nanoTime();
      paidUntil = Math.max(paidUntil, now - 100_000_000L) + bytes * 1_000_000_000L / bytesPerSecond;
      wait = paidUntil - now;
    }
    if (wait > 0) {
      try {
        Thread.sleep(wait / 1_000_000, (int) (wait % 1_000_000));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new JrtException(ErrorKind.CANCELLED, "fetch layer", "the pull was stopped", e);
      }
    }
  }
}
