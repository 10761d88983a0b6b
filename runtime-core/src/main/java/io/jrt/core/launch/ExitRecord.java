package io.jrt.core.launch;

import java.time.Duration;
import java.time.Instant;

/**
 * How a process ended.
 *
 * @param code the exit status when {@code signal} is 0
 * @param signal the signal that killed it, or 0
 * @param at when the end was seen, wall clock
 * @param userTime processor time of it and its waited-for children
 * @param systemTime likewise, in the kernel
 * @param maxRssBytes the largest resident set among them
 */
public record ExitRecord(
    int code,
    int signal,
    boolean coreDumped,
    Instant at,
    Duration userTime,
    Duration systemTime,
    long maxRssBytes) {
  /** One number as shells and Kubernetes have it: the exit status, or 128 + the signal. */
  public int status() {
    return signal == 0 ? code : 128 + signal;
  }
}
