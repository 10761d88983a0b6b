package io.jrt.core.device;

import io.jrt.core.device.DeviceInjection.OriginNetDevice;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Fd;
import io.jrt.linux.Kernel;
import io.jrt.linux.KernelException;
import io.jrt.linux.netlink.NetlinkMessage;
import io.jrt.linux.netlink.RouteNetlink;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * Network interfaces of the node that are moved into a pod for one of its containers, and back when
 * it has ended. They keep their addresses, and are up in the pod.
 */
public final class NetDevices {
  private static final String STEP = "move network devices";
  private static final Path OWN = Path.of("/proc/thread-self/ns/net");

  private final Kernel kernel;

  public NetDevices(Kernel kernel) {
    this.kernel = kernel;
  }

  /**
   * An interface as it was on the node.
   *
   * @param name in the pod
   * @param addresses {@code ADDRESS/PREFIX} each, without those of the link only
   */
  public record Lent(String hostName, String name, boolean up, List<String> addresses) {
    public Lent {
      addresses = List.copyOf(addresses);
    }
  }

  /**
   * Looks at interfaces of the node, so that what is changed can be written down before it is. None
   * may be in the pod already: at the end what has the name there goes to the node.
   */
  public List<Lent> look(List<OriginNetDevice> devices, Fd pod) {
    List<Lent> found = new ArrayList<>();
    for (OriginNetDevice each : devices) {
      String name = each.device().name();
      if (in(pod, netlink -> netlink.link(name).isPresent())) {
        throw new JrtException(
            ErrorKind.ALREADY_EXISTS,
            STEP,
            "%s needs a network device to be %s in the pod, which has one of that name"
                .formatted(each.origin(), name));
      }
    }
    try (RouteNetlink netlink = RouteNetlink.open(kernel)) {
      for (OriginNetDevice each : devices) {
        String hostName = each.device().hostName();
        RouteNetlink.Link link =
            netlink
                .link(hostName)
                .orElseThrow(
                    () ->
                        new JrtException(
                            ErrorKind.NOT_FOUND,
                            STEP,
                            "%s needs the network device %s, which the node does not have"
                                .formatted(each.origin(), hostName)));
        found.add(
            new Lent(hostName, each.device().name(), link.up(), addresses(netlink, link.index())));
      }
    }
    return found;
  }

  private static List<String> addresses(RouteNetlink netlink, int index) {
    return netlink.addresses().stream()
        .filter(each -> each.link() == index && !isOfLinkOnly(each.address()))
        .map(each -> each.address().getHostAddress() + "/" + each.prefix())
        .toList();
  }

  /** The kernel makes such an address of itself when the interface is up. */
  private static boolean isOfLinkOnly(InetAddress address) {
    return address instanceof Inet6Address && address.isLinkLocalAddress();
  }

  /** Moves them into a pod's namespace. */
  public void lend(List<Lent> devices, Fd pod) {
    for (Lent device : devices) {
      move(device.hostName(), pod, device.name());
      in(pod, netlink -> settle(netlink, device.name(), device.addresses(), true));
    }
  }

  /** Moves those back that are in the pod's namespace still. */
  public void giveBack(List<Lent> devices, Fd pod) {
    try (Fd own = kernel.namespaces().open(OWN)) {
      for (Lent device : devices) {
        boolean moved =
            in(
                pod,
                netlink -> {
                  Optional<RouteNetlink.Link> link = netlink.link(device.name());
                  link.ifPresent(
                      there ->
                          netlink.run(
                              List.of(netlink.move(there.index(), own, device.hostName()))));
                  return link.isPresent();
                });
        if (moved) {
          try (RouteNetlink netlink = RouteNetlink.open(kernel)) {
            settle(netlink, device.hostName(), device.addresses(), device.up());
          }
        }
      }
    }
  }

  private void move(String hostName, Fd pod, String name) {
    try (RouteNetlink netlink = RouteNetlink.open(kernel)) {
      int index = netlink.link(hostName).map(RouteNetlink.Link::index).orElse(0);
      netlink.run(List.of(netlink.move(index, pod, name)));
    } catch (KernelException e) {
      throw new JrtException(
          ErrorKind.FAILED_PRECONDITION,
          STEP,
          "network device %s cannot be moved into the pod as %s: %s"
              .formatted(hostName, name, e.errno().description()),
          e);
    }
  }

  private static boolean settle(
      RouteNetlink netlink, String name, List<String> addresses, boolean up) {
    Optional<RouteNetlink.Link> link = netlink.link(name);
    if (link.isEmpty()) {
      return false;
    }
    int index = link.get().index();
    List<NetlinkMessage> changes = new ArrayList<>();
    for (String text : addresses) {
      int slash = text.indexOf('/');
      int prefix = Integer.parseInt(text.substring(slash + 1));
      changes.add(netlink.addAddress(index, address(text.substring(0, slash)), prefix));
    }
    if (up) {
      changes.add(netlink.setUp(index));
    }
    netlink.run(changes);
    return true;
  }

  private static InetAddress address(String literal) {
    try {
      return InetAddress.getByName(literal);
    } catch (UnknownHostException e) {
      throw new JrtException(ErrorKind.INTERNAL, STEP, literal + " is no address", e);
    }
  }

  private <T> T in(Fd namespace, Function<RouteNetlink, T> body) {
    try {
      return kernel
          .namespaces()
          .inNetns(
              namespace,
              () -> {
                try (RouteNetlink netlink = RouteNetlink.open(kernel)) {
                  return body.apply(netlink);
                }
              });
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException("the body throws nothing checked", e);
    }
  }
}
