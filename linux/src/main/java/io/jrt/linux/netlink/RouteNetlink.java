package io.jrt.linux.netlink;

import io.jrt.linux.Errno;
import io.jrt.linux.Fd;
import io.jrt.linux.Kernel;
import io.jrt.linux.KernelException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/**
 * Interfaces, addresses and routes of one network namespace: that of the thread which opened it.
 *
 * <p>Methods that answer a {@link NetlinkMessage} only write the request; {@link #run} sends any
 * number of them in one go.
 */
public final class RouteNetlink implements AutoCloseable {
  private static final int NEW_LINK = 16;
  private static final int DEL_LINK = 17;
  private static final int GET_LINK = 18;
  private static final int SET_LINK = 19;
  private static final int NEW_ADDRESS = 20;
  private static final int GET_ADDRESS = 22;
  private static final int NEW_ROUTE = 24;
  private static final int GET_ROUTE = 26;

  private static final int NEW_QDISC = 36;

  private static final int LINK_HEADER = 16;
  private static final int ADDRESS_HEADER = 8;
  private static final int ROUTE_HEADER = 12;

  private static final int IFF_UP = 1;

  private static final int IFLA_ADDRESS = 1;
  private static final int IFLA_IFNAME = 3;
  private static final int IFLA_MTU = 4;
  private static final int IFLA_MASTER = 10;
  private static final int IFLA_PROTINFO = 12;
  private static final int IFLA_LINKINFO = 18;
  private static final int IFLA_STATS64 = 23;
  private static final int IFLA_GROUP = 27;
  private static final int IFLA_NET_NS_FD = 28;
  private static final int IFLA_EXT_MASK = 29;
  private static final int SKIP_STATS = 8;
  private static final int INFO_KIND = 1;
  private static final int INFO_DATA = 2;
  private static final int VETH_PEER = 1;
  private static final int BRIDGE_STP = 5;
  private static final int BRIDGE_MCAST_SNOOPING = 23;
  private static final int BRIDGE_PORT_HAIRPIN = 4;

  private static final int QDISC_ROOT = -1;
  private static final int QDISC_HANDLE = 1 << 16;
  private static final int TCA_KIND = 1;
  private static final int TCA_OPTIONS = 2;
  private static final int TBF_PARMS = 1;
  private static final int TBF_RATE64 = 4;
  private static final int TBF_BURST = 6;
  private static final int TBF_PARMS_SIZE = 36;
  private static final int LINK_LAYER_ETHERNET = 1;

  private static final int AF_INET = 2;
  private static final int AF_BRIDGE = 7;
  private static final int AF_INET6 = 10;

  private final NetlinkConnection connection;

  private RouteNetlink(NetlinkConnection connection) {
    this.connection = connection;
  }

  /** Opens it for the calling thread's network namespace. */
  public static RouteNetlink open(Kernel kernel) {
    return new RouteNetlink(NetlinkConnection.open(kernel, NetlinkConnection.ROUTE));
  }

  /**
   * An interface.
   *
   * @param index its number in its namespace
   * @param master the number of the bridge it is a port of, 0 if none
   * @param mac its hardware address in lower case with colons, "" if it has none
   * @param kind {@code veth}, {@code bridge}, …; "" for hardware and loopback
   */
  public record Link(
      int index, String name, int master, int mtu, String mac, String kind, boolean up) {}

  /** Counters of an interface, as in {@code struct rtnl_link_stats64}. */
  public record LinkStats(
      String name,
      long rxPackets,
      long txPackets,
      long rxBytes,
      long txBytes,
      long rxErrors,
      long txErrors,
      long rxDropped,
      long txDropped) {}

  /** Sends requests in one datagram; the first error is thrown after all were tried. */
  public void run(List<NetlinkMessage> requests) {
    List<KernelException> errors = connection.callEach(requests);
    if (!errors.isEmpty()) {
      KernelException first = errors.getFirst();
      errors.stream().skip(1).forEach(first::addSuppressed);
      throw first;
    }
  }

  /** Sends requests in one datagram and answers what went wrong, in order. */
  public List<KernelException> tryEach(List<NetlinkMessage> requests) {
    return connection.callEach(requests);
  }

  /** The interface of that name, if there is one. */
  public Optional<Link> link(String name) {
    NetlinkMessage request =
        linkHeader("get link " + name, GET_LINK, 0, 0, 0, 0)
            .text(IFLA_IFNAME, name)
            .attribute32(IFLA_EXT_MASK, SKIP_STATS);
    try {
      return connection.call(request).stream()
          .filter(reply -> reply.type() == NEW_LINK)
          .findFirst()
          .map(RouteNetlink::readLink);
    } catch (KernelException e) {
      if (e.is(Errno.ENODEV)) {
        return Optional.empty();
      }
      throw e;
    }
  }

  /** All interfaces. */
  public List<Link> links() {
    return connection
        .dump(
            linkHeader("list links", GET_LINK, NetlinkConnection.DUMP, 0, 0, 0)
                .attribute32(IFLA_EXT_MASK, SKIP_STATS))
        .stream()
        .filter(reply -> reply.type() == NEW_LINK)
        .map(RouteNetlink::readLink)
        .toList();
  }

  /** Counters of all interfaces. */
  public List<LinkStats> stats() {
    List<LinkStats> all = new ArrayList<>();
    for (NetlinkReply reply :
        connection.dump(linkHeader("list links", GET_LINK, NetlinkConnection.DUMP, 0, 0, 0))) {
      Attributes attributes = reply.attributes(LINK_HEADER);
      Optional<byte[]> raw = attributes.bytes(IFLA_STATS64);
      if (reply.type() == NEW_LINK && raw.isPresent() && raw.get().length >= 64) {
        ByteBuffer s = ByteBuffer.wrap(raw.get()).order(ByteOrder.nativeOrder());
        all.add(
            new LinkStats(
                attributes.text(IFLA_IFNAME).orElse(""),
                s.getLong(0),
                s.getLong(8),
                s.getLong(16),
                s.getLong(24),
                s.getLong(32),
                s.getLong(40),
                s.getLong(48),
                s.getLong(56)));
      }
    }
    return all;
  }

  /**
   * Makes a bridge that is down, without spanning tree. Its address is fixed, so that it does not
   * change with the ports.
   */
  public NetlinkMessage addBridge(String name, byte[] mac, int mtu) {
    return linkHeader("add bridge " + name, NEW_LINK, createNew(), 0, 0, 0)
        .text(IFLA_IFNAME, name)
        .attribute32(IFLA_MTU, mtu)
        .bytes(IFLA_ADDRESS, mac)
        .nest(
            IFLA_LINKINFO,
            info ->
                info.text(INFO_KIND, "bridge")
                    .nest(
                        INFO_DATA,
                        data ->
                            data.attribute32(BRIDGE_STP, 0).attribute8(BRIDGE_MCAST_SNOOPING, 0)));
  }

  /**
   * Makes a pair of interfaces: one here as a port of a bridge, up; its peer in another namespace,
   * which cannot be up yet.
   *
   * @param name of the one here
   * @param master number of the bridge
   * @param peerName of the peer
   * @param peerMac hardware address of the peer
   * @param peerNetns the peer's network namespace
   */
  public NetlinkMessage addVeth(
      String name, int master, int mtu, String peerName, byte[] peerMac, Fd peerNetns) {
    return linkHeader("add veth " + name, NEW_LINK, createNew(), 0, IFF_UP, IFF_UP)
        .text(IFLA_IFNAME, name)
        .attribute32(IFLA_MTU, mtu)
        .attribute32(IFLA_MASTER, master)
        .nest(
            IFLA_LINKINFO,
            info ->
                info.text(INFO_KIND, "veth")
                    .nest(
                        INFO_DATA,
                        data ->
                            data.nest(
                                VETH_PEER,
                                peer ->
                                    peer.u8(0)
                                        .u8(0)
                                        .u16(0)
                                        .u32(0)
                                        .u32(0)
                                        .u32(0)
                                        .text(IFLA_IFNAME, peerName)
                                        .attribute32(IFLA_MTU, mtu)
                                        .bytes(IFLA_ADDRESS, peerMac)
                                        .attribute32(IFLA_NET_NS_FD, peerNetns.value()))));
  }

  /** Lets a bridge port send a frame back through the port it came from. */
  public NetlinkMessage setHairpin(int index) {
    return header("set hairpin of link " + index, SET_LINK, 0)
        .u8(AF_BRIDGE)
        .u8(0)
        .u16(0)
        .u32(index)
        .u32(0)
        .u32(0)
        .nest(IFLA_PROTINFO, port -> port.attribute8(BRIDGE_PORT_HAIRPIN, 1));
  }

  public NetlinkMessage setUp(int index) {
    return linkHeader("set link " + index + " up", NEW_LINK, 0, index, IFF_UP, IFF_UP);
  }

  /** Moves an interface into another namespace under a name; it is down then and has no address. */
  public NetlinkMessage move(int index, Fd netns, String name) {
    return linkHeader("move link " + index + " as " + name, NEW_LINK, 0, index, 0, 0)
        .text(IFLA_IFNAME, name)
        .attribute32(IFLA_NET_NS_FD, netns.value());
  }

  public NetlinkMessage setMtu(int index, int mtu) {
    return linkHeader("set mtu " + mtu + " of link " + index, NEW_LINK, 0, index, 0, 0)
        .attribute32(IFLA_MTU, mtu);
  }

  /**
   * Limits what leaves by an interface with a token bucket (tc-tbf), in place of what it had.
   *
   * @param bytesPerSecond the rate
   * @param burst bytes that may go at once after a pause
   * @param queue bytes that may wait; more are dropped
   */
  public NetlinkMessage limit(int index, long bytesPerSecond, int burst, int queue) {
    ByteBuffer parameters = ByteBuffer.allocate(TBF_PARMS_SIZE).order(ByteOrder.nativeOrder());
    parameters.put(1, (byte) LINK_LAYER_ETHERNET);
    parameters.putInt(8, (int) Math.min(bytesPerSecond, 0xffff_ffffL));
    parameters.putInt(24, queue);
    byte[] rate =
        ByteBuffer.allocate(8).order(ByteOrder.nativeOrder()).putLong(bytesPerSecond).array();
    return header(
            "limit link " + index + " to " + bytesPerSecond + " bytes per second",
            NEW_QDISC,
            NetlinkConnection.CREATE | NetlinkConnection.REPLACE)
        .u8(0)
        .u8(0)
        .u16(0)
        .u32(index)
        .u32(QDISC_HANDLE)
        .u32(QDISC_ROOT)
        .u32(0)
        .text(TCA_KIND, "tbf")
        .nest(
            TCA_OPTIONS,
            options -> {
              options.bytes(TBF_PARMS, parameters.array()).attribute32(TBF_BURST, burst);
              if (bytesPerSecond > 0xffff_ffffL) {
                options.bytes(TBF_RATE64, rate);
              }
            });
  }

  /** Puts an interface into a group of interfaces, for {@link #deleteGroup}. */
  public NetlinkMessage setGroup(String name, int group) {
    return linkHeader("set group of link " + name, NEW_LINK, 0, 0, 0, 0)
        .text(IFLA_IFNAME, name)
        .attribute32(IFLA_GROUP, group);
  }

  public NetlinkMessage deleteLink(String name) {
    return linkHeader("delete link " + name, DEL_LINK, 0, 0, 0, 0).text(IFLA_IFNAME, name);
  }

  /** Deletes all interfaces of a group; the kernel's long wait is then paid once for all. */
  public NetlinkMessage deleteGroup(int group) {
    return linkHeader("delete link group " + group, DEL_LINK, 0, 0, 0, 0)
        .attribute32(IFLA_GROUP, group);
  }

  /**
   * Gives an interface an address; having it already is fine. An IPv6 address is usable at once: it
   * is known to be unique, so duplicates are not looked for.
   */
  public NetlinkMessage addAddress(int index, InetAddress address, int prefix) {
    byte[] bytes = address.getAddress();
    boolean v6 = bytes.length == 16;
    NetlinkMessage message =
        header(
                "add address " + address.getHostAddress() + "/" + prefix,
                NEW_ADDRESS,
                NetlinkConnection.CREATE | NetlinkConnection.REPLACE)
            .u8(v6 ? AF_INET6 : AF_INET)
            .u8(prefix)
            .u8(v6 ? 0x02 : 0) // IFA_F_NODAD
            .u8(0)
            .u32(index)
            .bytes(2, bytes)
            .bytes(1, bytes);
    if (!v6 && prefix < 31) {
      byte[] broadcast = bytes.clone();
      for (int bit = prefix; bit < 32; bit++) {
        broadcast[bit / 8] |= (byte) (0x80 >> (bit % 8));
      }
      message.bytes(4, broadcast);
    }
    return message;
  }

  /**
   * An address of an interface.
   *
   * @param link the interface's number
   * @param prefix length of the prefix of its network
   */
  public record Address(int link, InetAddress address, int prefix) {}

  /** All addresses of all interfaces. */
  public List<Address> addresses() {
    List<Address> found = new ArrayList<>();
    NetlinkMessage request =
        header("list addresses", GET_ADDRESS, NetlinkConnection.DUMP)
            .u8(0)
            .u8(0)
            .u8(0)
            .u8(0)
            .u32(0);
    for (NetlinkReply reply : connection.dump(request)) {
      Attributes attributes = reply.attributes(ADDRESS_HEADER);
      Optional<byte[]> bytes = attributes.bytes(2).or(() -> attributes.bytes(1));
      if (reply.type() == NEW_ADDRESS && bytes.isPresent()) {
        found.add(new Address(reply.u32(4), address(bytes.get()), reply.u8(1)));
      }
    }
    return found;
  }

  /** Adds the default route of the gateway's family. */
  public NetlinkMessage addDefaultRoute(InetAddress gateway, int index) {
    return header(
            "add default route via " + gateway.getHostAddress(),
            NEW_ROUTE,
            NetlinkConnection.CREATE | NetlinkConnection.REPLACE)
        .u8(gateway.getAddress().length == 16 ? AF_INET6 : AF_INET)
        .u8(0)
        .u8(0)
        .u8(0)
        .u8(254) // table main
        .u8(4) // protocol static
        .u8(0) // scope universe
        .u8(1) // unicast
        .u32(0)
        .bytes(5, gateway.getAddress())
        .attribute32(4, index);
  }

  /** The numbers of the interfaces that default routes of either family leave by. */
  public List<Integer> defaultRouteLinks() {
    List<Integer> links = new ArrayList<>();
    for (int family : new int[] {AF_INET, AF_INET6}) {
      NetlinkMessage request =
          header("list routes", GET_ROUTE, NetlinkConnection.DUMP)
              .u8(family)
              .u8(0)
              .u8(0)
              .u8(0)
              .u8(0)
              .u8(0)
              .u8(0)
              .u8(0)
              .u32(0);
      for (NetlinkReply reply : connection.dump(request)) {
        boolean unicastDefault =
            reply.type() == NEW_ROUTE && reply.u8(1) == 0 && reply.u8(4) == 254 && reply.u8(7) == 1;
        if (unicastDefault) {
          reply.attributes(ROUTE_HEADER).u32(4).ifPresent(links::add);
        }
      }
    }
    return links;
  }

  /** Whether a conversation broke off in the middle; it must be opened anew then. */
  public boolean isBroken() {
    return connection.isBroken();
  }

  @Override
  public void close() {
    connection.close();
  }

  private static int createNew() {
    return NetlinkConnection.CREATE | NetlinkConnection.EXCLUSIVE;
  }

  private static NetlinkMessage header(String label, int type, int flags) {
    boolean dump = (flags & NetlinkConnection.DUMP) == NetlinkConnection.DUMP;
    return new NetlinkMessage(
        label, type, NetlinkConnection.REQUEST | flags | (dump ? 0 : NetlinkConnection.ACK));
  }

  private static NetlinkMessage linkHeader(
      String label, int type, int flags, int index, int set, int mask) {
    return header(label, type, flags).u8(0).u8(0).u16(0).u32(index).u32(set).u32(mask);
  }

  private static Link readLink(NetlinkReply reply) {
    Attributes attributes = reply.attributes(LINK_HEADER);
    return new Link(
        reply.u32(4),
        attributes.text(IFLA_IFNAME).orElse(""),
        attributes.u32(IFLA_MASTER).orElse(0),
        attributes.u32(IFLA_MTU).orElse(0),
        attributes.bytes(IFLA_ADDRESS).map(RouteNetlink::mac).orElse(""),
        attributes.nested(IFLA_LINKINFO).text(INFO_KIND).orElse(""),
        (reply.u32(8) & IFF_UP) != 0);
  }

  /** A hardware address as people write it. */
  public static String mac(byte[] bytes) {
    StringBuilder text = new StringBuilder();
    for (byte b : bytes) {
      text.append(text.isEmpty() ? "" : ":").append(HexFormat.of().toHexDigits(b));
    }
    return text.toString();
  }

  private static InetAddress address(byte[] bytes) {
    try {
      return InetAddress.getByAddress(bytes);
    } catch (UnknownHostException e) {
      throw new IllegalStateException(e);
    }
  }
}
