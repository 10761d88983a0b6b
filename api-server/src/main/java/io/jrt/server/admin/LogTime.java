package io.jrt.server.admin;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.util.Optional;

/** The times at the beginning of log lines. */
final class LogTime {
  private LogTime() {}

  /** Nanoseconds since 1970 of an RFC 3339 time; empty if it is none. */
  static Optional<Long> nanos(String text) {
    try {
      return Optional.of(
          Times.nanos(DateTimeFormatter.ISO_OFFSET_DATE_TIME.parse(text, Instant::from)));
    } catch (DateTimeException e) {
      return Optional.empty();
    }
  }
}
