package io.jrt.core.life;

import io.jrt.core.NetworkStats;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/** The kernel's table of interface counters, {@code /proc/net/dev}. */
final class NetDev {
  /** The first column of what was received; the same four begin what was sent. */
  private static final int RECEIVED = 0;

  private static final int SENT = 8;
  private static final int COLUMNS = 16;

  private NetDev() {}

  /** All interfaces but loopback, {@code eth0} first where there is one. */
  static List<NetworkStats> parse(String table, Instant at) {
    List<NetworkStats> interfaces = new ArrayList<>();
    long[] counts = new long[COLUMNS];
    for (int line = 0; line < table.length(); ) {
      int end = table.indexOf('\n', line);
      end = end < 0 ? table.length() : end;
      // The headings have bars, which no interface may have in its name.
      int colon = table.indexOf(':', line);
      if (colon > line && colon < end && table.substring(line, colon).indexOf('|') < 0) {
        String name = table.substring(line, colon).strip();
        if (!name.equals("lo") && numbers(table, colon + 1, end, counts)) {
          NetworkStats stats =
              new NetworkStats(at, name, direction(counts, RECEIVED), direction(counts, SENT));
          interfaces.add(name.equals("eth0") ? 0 : interfaces.size(), stats);
        }
      }
      line = end + 1;
    }
    return interfaces;
  }

  private static NetworkStats.Direction direction(long[] counts, int from) {
    return new NetworkStats.Direction(
        counts[from], counts[from + 1], counts[from + 2], counts[from + 3]);
  }

  private static boolean numbers(String text, int from, int end, long[] into) {
    int count = 0;
    for (int at = from; at < end && count < into.length; ) {
      while (at < end && text.charAt(at) == ' ') {
        at++;
      }
      int start = at;
      while (at < end && text.charAt(at) != ' ') {
        at++;
      }
      if (at > start) {
        into[count++] = Long.parseUnsignedLong(text, start, at, 10);
      }
    }
    return count == into.length;
  }
}
