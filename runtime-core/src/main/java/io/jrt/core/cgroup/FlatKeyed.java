package io.jrt.core.cgroup;

import io.jrt.core.Psi;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/** Readers of the formats of cgroup files. */
final class FlatKeyed {
  /** What v1 shows for no limit: the highest multiple of the page size; pages may be 64 KiB. */
  private static final long V1_UNLIMITED = Long.MAX_VALUE - 65536;

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

  /** The two lines of a pressure file; that of the cpu of the root has no full line. */
  static Optional<Psi> pressure(Optional<String> text) {
    if (text.isEmpty() || text.get().isEmpty()) {
      return Optional.empty();
    }
    Psi.Share none = new Psi.Share(0, 0, 0, 0);
    Psi.Share some = none;
    Psi.Share full = none;
    for (String line : text.get().split("\n", -1)) {
      String[] words = line.split(" ", -1);
      if (words.length == 5) {
        Psi.Share share =
            new Psi.Share(
                Long.parseLong(after(words[4])),
                Double.parseDouble(after(words[1])),
                Double.parseDouble(after(words[2])),
                Double.parseDouble(after(words[3])));
        if (words[0].equals("some")) {
          some = share;
        } else {
          full = share;
        }
      }
    }
    return Optional.of(new Psi(some, full));
  }

  private static String after(String assignment) {
    return assignment.substring(assignment.indexOf('=') + 1);
  }

  /** io.stat of v2: {@code major:minor name=value…}. */
  static List<CgroupStats.BlockDevice> ioStat(String text) {
    List<CgroupStats.BlockDevice> devices = new ArrayList<>();
    for (String line : text.split("\n", -1)) {
      String[] words = line.split(" ", -1);
      int colon = words[0].indexOf(':');
      if (colon < 0) {
        continue;
      }
      Map<String, Long> values = new HashMap<>();
      for (int i = 1; i < words.length; i++) {
        int equals = words[i].indexOf('=');
        if (equals > 0 && isNumber(words[i], equals + 1, words[i].length())) {
          values.put(words[i].substring(0, equals), Long.parseLong(after(words[i])));
        }
      }
      devices.add(
          new CgroupStats.BlockDevice(
              Integer.parseInt(words[0].substring(0, colon)),
              Integer.parseInt(words[0].substring(colon + 1)),
              values.getOrDefault("rbytes", 0L),
              values.getOrDefault("wbytes", 0L),
              values.getOrDefault("rios", 0L),
              values.getOrDefault("wios", 0L)));
    }
    return devices;
  }
}
