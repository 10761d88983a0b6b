package io.jrt.core.life;

import io.jrt.core.NetworkStats;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/** The kernel's table of interface counters, {@code /proc/net/dev}. */
final class NetDev {
  private static final int RX_BYTES = 0;
  private static final int RX_ERRORS = 2;
  private static final int TX_BYTES = 8;
  private static final int TX_ERRORS = 10;

  private NetDev() {}

  /** All interfaces but loopback, {@code eth0} first where there is one. */
  static List<NetworkStats> parse(String table, Instant at) {
    List<NetworkStats> interfaces = new ArrayList<>();
    for (String line : table.lines().skip(2).toList()) {
      int colon = line.indexOf(':');
      if (colon < 0) {
        continue;
      }
      String name = line.substring(0, colon).strip();
      String[] counts = line.substring(colon + 1).strip().split("\\s+");
      if (name.equals("lo") || counts.length <= TX_ERRORS) {
        continue;
      }
      NetworkStats stats =
          new NetworkStats(
              at,
              name,
              Long.parseUnsignedLong(counts[RX_BYTES]),
              Long.parseUnsignedLong(counts[RX_ERRORS]),
              Long.parseUnsignedLong(counts[TX_BYTES]),
              Long.parseUnsignedLong(counts[TX_ERRORS]));
      interfaces.add(name.equals("eth0") ? 0 : interfaces.size(), stats);
    }
    return interfaces;
  }
}
