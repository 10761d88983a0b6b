package io.jrt.server.admin;

import java.time.Instant;

/** Points in time as the admin API writes them. */
final class Times {
  private Times() {}

  /** Nanoseconds since 1970. */
  static long nanos(Instant instant) {
    return Math.addExact(
        Math.multiplyExact(instant.getEpochSecond(), 1_000_000_000L), instant.getNano());
  }

  static Instant instant(long nanos) {
    return Instant.ofEpochSecond(
        Math.floorDiv(nanos, 1_000_000_000L), Math.floorMod(nanos, 1_000_000_000L));
  }
}
