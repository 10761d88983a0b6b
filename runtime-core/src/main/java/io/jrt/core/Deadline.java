package io.jrt.core;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * Until when a caller wants an answer, by the monotonic clock: a jump of the wall clock changes
 * nothing.
 */
public final class Deadline {
  private static final Deadline NONE = new Deadline(0, false);

  private final long nanoTime;
  private final boolean limited;

  private Deadline(long nanoTime, boolean limited) {
    this.nanoTime = nanoTime;
    this.limited = limited;
  }

  /** Never. */
  public static Deadline none() {
    return NONE;
  }

  public static Deadline after(Duration duration) {
    return new Deadline(System.nanoTime() + duration.toNanos(), true);
  }

  /** Whether there is a deadline at all. */
  public boolean isLimited() {
    return limited;
  }

  /** The time left, never negative; about 292 years when there is no deadline. */
  public Duration remaining() {
    return limited
        ? Duration.ofNanos(Math.max(0, nanoTime - System.nanoTime()))
        : Duration.ofNanos(Long.MAX_VALUE);
  }

  public boolean isExpired() {
    return limited && nanoTime - System.nanoTime() <= 0;
  }

  /** Throws when the deadline passed. */
  public void check(String step) {
    if (isExpired()) {
      throw new JrtException(ErrorKind.DEADLINE, step, "the deadline of the request passed");
    }
  }

  /** About when it is by the wall clock, for people. */
  public Optional<Instant> wallClock() {
    return limited ? Optional.of(Instant.now().plus(remaining())) : Optional.empty();
  }
}
