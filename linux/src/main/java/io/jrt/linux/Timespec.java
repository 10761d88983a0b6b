package io.jrt.linux;

import java.time.Instant;

/** A time stamp of a file: seconds since the epoch and nanoseconds of the second. */
public record Timespec(long seconds, int nanos) {
  private static final int UTIME_NOW = 0x3fffffff;
  private static final int UTIME_OMIT = 0x3ffffffe;

  /** For {@link Files#utimensat}: the kernel's present time. */
  public static final Timespec NOW = new Timespec(0, UTIME_NOW);

  /** For {@link Files#utimensat}: leave as it is. */
  public static final Timespec OMIT = new Timespec(0, UTIME_OMIT);

  public static Timespec of(Instant time) {
    return new Timespec(time.getEpochSecond(), time.getNano());
  }

  public Instant instant() {
    return Instant.ofEpochSecond(seconds, nanos);
  }
}
