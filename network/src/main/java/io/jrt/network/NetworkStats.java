package io.jrt.network;

import io.jrt.linux.Fd;
import io.jrt.linux.Kernel;
import io.jrt.linux.netlink.RouteNetlink;
import java.nio.file.Path;
import java.util.List;

/** Reads what the interfaces of a pod have counted, whatever provider made them. */
public final class NetworkStats {
  private final Kernel kernel;

  public NetworkStats(Kernel kernel) {
    this.kernel = kernel;
  }

  /** The counters of all interfaces in a pinned network namespace, the loopback left out. */
  public List<InterfaceStats> of(Path netns) {
    try (Fd fd = kernel.namespaces().open(netns);
        RouteNetlink routes =
            HostNamespace.callIn(
                kernel, fd, "read network stats", () -> RouteNetlink.open(kernel))) {
      return routes.stats().stream()
          .filter(link -> !link.name().equals("lo"))
          .map(
              link ->
                  new InterfaceStats(
                      link.name(),
                      link.rxBytes(),
                      link.rxPackets(),
                      link.rxErrors(),
                      link.rxDropped(),
                      link.txBytes(),
                      link.txPackets(),
                      link.txErrors(),
                      link.txDropped()))
          .toList();
    }
  }
}
