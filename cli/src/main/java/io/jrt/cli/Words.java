package io.jrt.cli;

import java.time.Duration;
import java.time.Instant;
import java.util.Locale;

/** Sizes, ages and ids as people read and write them. */
final class Words {
  private static final String[] UNITS = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};

  private Words() {}

  static String size(long bytes) {
    double value = bytes;
    int unit = 0;
    while (value >= 1024 && unit < UNITS.length - 1) {
      value /= 1024;
      unit++;
    }
    String format = unit == 0 || value >= 100 ? "%.0f %s" : "%.1f %s";
    return format.formatted(value, UNITS[unit]);
  }

  /** Reads {@code 512}, {@code 64k}, {@code 1.5g}, {@code 10MiB}; the units are binary. */
  static long bytes(String text) {
    String lower = text.toLowerCase(Locale.ROOT).replaceFirst("i?b$", "");
    int shift =
        switch (lower.isEmpty() ? ' ' : lower.charAt(lower.length() - 1)) {
          case 'k' -> 10;
          case 'm' -> 20;
          case 'g' -> 30;
          case 't' -> 40;
          default -> 0;
        };
    String number = shift == 0 ? lower : lower.substring(0, lower.length() - 1);
    try {
      double value = Double.parseDouble(number);
      if (value < 0 || Double.isNaN(value) || value * Math.pow(2, shift) > Long.MAX_VALUE) {
        throw new UsageException("size " + text + " is out of range");
      }
      return (long) (value * (1L << shift));
    } catch (NumberFormatException e) {
      throw new UsageException("size " + text + " is not a number with k, m, g or t");
    }
  }

  /** Reads {@code 10}, {@code 10s}, {@code 500ms}, {@code 5m}, {@code 2h}, {@code 1d}. */
  static Duration duration(String text) {
    int end = 0;
    while (end < text.length() && Character.isDigit(text.charAt(end))) {
      end++;
    }
    if (end == 0 || end > 12) {
      throw new UsageException("time " + text + " is not a number with ms, s, m, h or d");
    }
    long number = Long.parseLong(text.substring(0, end));
    return switch (text.substring(end)) {
      case "ms" -> Duration.ofMillis(number);
      case "", "s" -> Duration.ofSeconds(number);
      case "m" -> Duration.ofMinutes(number);
      case "h" -> Duration.ofHours(number);
      case "d" -> Duration.ofDays(number);
      default -> throw new UsageException("time " + text + " has no unit of ms, s, m, h or d");
    };
  }

  /** How long ago a moment was, in its largest unit. */
  static String age(long epochNanos, Instant now) {
    if (epochNanos <= 0) {
      return "-";
    }
    Instant then = Instant.ofEpochSecond(epochNanos / 1_000_000_000, epochNanos % 1_000_000_000);
    long seconds = Math.max(0, Duration.between(then, now).toSeconds());
    if (seconds < 120) {
      return seconds + "s";
    } else if (seconds < 2 * 3600) {
      return seconds / 60 + "m";
    } else if (seconds < 2 * 86_400) {
      return seconds / 3600 + "h";
    }
    return seconds / 86_400 + "d";
  }

  /** The part of an id that people use. */
  static String shortId(String id) {
    String hex = id.startsWith("sha256:") ? id.substring(7) : id;
    return hex.length() > 12 ? hex.substring(0, 12) : hex;
  }

  /** A message as one line that no terminal takes orders from. */
  static String oneLine(String message) {
    return message.strip().replaceAll("\\s+", " ").replaceAll("\\p{Cntrl}", "?");
  }
}
