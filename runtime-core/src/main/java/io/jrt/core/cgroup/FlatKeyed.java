package io.jrt.core.cgroup;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/** Readers of the formats of cgroup files. */
final class FlatKeyed {
  /** What v1 shows for no limit: the highest multiple of the page size; pages may be 64 KiB. */
  static final long V1_UNLIMITED = Long.MAX_VALUE - 65536;

  private FlatKeyed() {}

  /** Lines of {@code key number}; others are skipped. */
  static Map<String, Long> parse(String text) {
    Map<String, Long> values = new HashMap<>();
    for (int at = 0; at < text.length(); ) {
      int end = text.indexOf('\n', at);
      if (end < 0) {
        end = text.length();
      }
      int space = text.indexOf(' ', at);
      if (space > at && space < end && isNumber(text, space + 1, end)) {
        values.put(text.substring(at, space), Long.parseUnsignedLong(text, space + 1, end, 10));
      }
      at = end + 1;
    }
    return values;
  }

  private static boolean isNumber(String text, int from, int end) {
    for (int i = from; i < end; i++) {
      if (text.charAt(i) < '0' || text.charAt(i) > '9') {
        return false;
      }
    }
    return end > from && end - from < 20;
  }

  /** A number; 0 for {@code max} and for nothing. */
  static long number(Optional<String> text) {
    return limit(text).orElse(0);
  }

  /** A limit; empty for {@code max}, for what v1 shows as none, and for nothing. */
  static OptionalLong limit(Optional<String> text) {
    if (text.isEmpty() || !isNumber(text.get(), 0, text.get().length())) {
      return OptionalLong.empty();
    }
    long value = Long.parseUnsignedLong(text.get());
    return value < 0 || value >= V1_UNLIMITED ? OptionalLong.empty() : OptionalLong.of(value);
  }
}
