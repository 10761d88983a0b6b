package io.jrt.core;

import java.time.Instant;

/** Counters of one interface in a pod's network namespace. */
public record NetworkStats(Instant at, String name, Direction received, Direction sent) {

  /** What went one way. */
  public record Direction(long bytes, long packets, long errors, long dropped) {}
}
