package io.jrt.server.cri;

import java.time.Instant;

/** Points in time as CRI writes them. */
final class Times {
  private Times() {}

  /** Nanoseconds since 1970. */
  static long nanos(Instant instant) {
    return Math.addExact(
        Math.multiplyExact(instant.getEpochSecond(), 1_000_000_000L), instant.getNano());
  }
}
