package io.jrt.network.bridge;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Errno;
import io.jrt.linux.Kernel;
import io.jrt.linux.KernelException;
import io.jrt.linux.netlink.ConnTrack;
import io.jrt.linux.netlink.NfTables;
import io.jrt.linux.netlink.NftTransaction;
import io.jrt.linux.netlink.RouteNetlink;
import io.jrt.linux.netlink.RouteNetlink.Link;
import io.jrt.network.BridgeConfig;
import io.jrt.network.Cidr;
import io.jrt.network.HostNamespace;
import io.jrt.network.IpAddress;
import io.jrt.network.PortMapping;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The host's end of the bridge network: the bridge, the rules, and forwarding switched on. It is
 * made when the first pod comes and made again if somebody removed it.
 *
 * <p>One caller at a time: the methods are synchronized and each takes well under a millisecond.
 */
final class HostSide implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(HostSide.class);
  private static final String STEP = "attach network";
  private static final int DEFAULT_MTU = 1500;
  private static final Path SYSCTL = Path.of("/proc/sys/net");

  private final Kernel kernel;
  private final HostNamespace host;
  private final Names names;
  private final BridgeConfig config;
  private final Ruleset rules;
  private final @Nullable GroupRules groups;
  private final Supplier<List<AddressPool>> currentPools;
  private final Supplier<List<Lease>> activeLeases;

  private @Nullable RouteNetlink route;
  private @Nullable NfTables tables;
  private boolean forwardingOn;
  private boolean rulesCurrent;
  private int mtu;

  /**
   * @param groups null when groups are off
   * @param currentPools the ranges the bridge serves
   * @param activeLeases the pods whose rules must be in place; asked while nobody else changes
   *     rules
   */
  HostSide(
      Kernel kernel,
      HostNamespace host,
      Names names,
      BridgeConfig config,
      @Nullable GroupRules groups,
      Supplier<List<AddressPool>> currentPools,
      Supplier<List<Lease>> activeLeases) {
    this.currentPools = currentPools;
    this.activeLeases = activeLeases;
    this.kernel = kernel;
    this.host = host;
    this.names = names;
    this.config = config;
    this.rules = new Ruleset(names, config.masquerade());
    this.groups = groups;
  }

  /**
   * The bridge, made if it is missing.
   *
   * @param index its interface number
   * @param mtu of the pods' interfaces in bytes
   */
  record Bridge(int index, int mtu) {}

  /** Makes what is missing of the bridge, the rules and forwarding. */
  synchronized Bridge ensure() {
    List<AddressPool> pools = currentPools.get();
    if (!forwardingOn) {
      boolean v6 = pools.stream().anyMatch(pool -> pool.range().isV6());
      host.call(
          STEP,
          () -> {
            enableForwarding(v6);
            return true;
          });
      forwardingOn = true;
    }
    Optional<Link> existing = route().link(names.bridge());
    // One that is down was left half-made by a crash.
    Link bridge =
        existing.isPresent() && existing.get().up()
            ? existing.get()
            : makeBridge(pools, existing.isPresent());
    if (mtu == 0) {
      mtu = chooseMtu();
    }
    if (!rulesCurrent || !tables().hasTable(NftTransaction.INET, names.table())) {
      rebuildRules();
    }
    return new Bridge(bridge.index(), mtu);
  }

  /** The ranges changed: bridge and rules are made to fit when the next pod comes. */
  synchronized void rangesChanged() {
    rulesCurrent = false;
  }

  private Link makeBridge(List<AddressPool> pools, boolean halfMade) {
    if (!halfMade) {
      refuseOverlap(pools);
    }
    mtu = chooseMtu();
    byte[] mac = Macs.of(pools.getFirst().gateway());
    try {
      route().run(List.of(route().addBridge(names.bridge(), mac, mtu)));
    } catch (KernelException e) {
      if (!e.is(Errno.EEXIST)) {
        throw e;
      }
    }
    Link bridge =
        route()
            .link(names.bridge())
            .orElseThrow(
                () ->
                    new JrtException(
                        ErrorKind.INTERNAL, STEP, "bridge " + names.bridge() + " vanished"));
    host.call(
        STEP,
        () -> {
          // Host ports work on 127.0.0.1; the rules guard it. Routers in pods are not believed.
          write(SYSCTL.resolve("ipv4/conf/" + names.bridge() + "/route_localnet"), "1");
          Path v6 = SYSCTL.resolve("ipv6/conf/" + names.bridge());
          if (Files.exists(v6)) {
            write(v6.resolve("accept_ra"), "0");
            // Nobody else has the bridge's addresses; pods need not wait until that is proved.
            write(v6.resolve("accept_dad"), "0");
          }
          return true;
        });
    giveAddresses(bridge, pools);
    route().run(List.of(route().setUp(bridge.index())));
    LOG.info("made bridge {} for {}", names.bridge(), ranges(pools));
    return bridge;
  }

  /** Gives the bridge the gateway addresses of all ranges. */
  private void giveAddresses(Link bridge, List<AddressPool> pools) {
    route()
        .run(
            pools.stream()
                .map(
                    pool ->
                        route()
                            .addAddress(
                                bridge.index(),
                                pool.gateway().toInetAddress(),
                                pool.range().prefix()))
                .toList());
  }

  private void refuseOverlap(List<AddressPool> pools) {
    for (RouteNetlink.Address address : route().addresses()) {
      Cidr other =
          new Cidr(IpAddress.of(address.address().getAddress()), address.prefix()).network();
      for (AddressPool pool : pools) {
        Cidr range = pool.range();
        if (range.contains(other.address()) || other.contains(range.address())) {
          throw new JrtException(
              ErrorKind.FAILED_PRECONDITION,
              STEP,
              "address range " + range + " overlaps " + address(address) + " of the host",
              "set another network.bridge.subnets",
              null);
        }
      }
    }
  }

  private static String address(RouteNetlink.Address address) {
    InetAddress ip = address.address();
    return IpAddress.of(ip.getAddress()) + "/" + address.prefix();
  }

  private int chooseMtu() {
    if (config.mtu() > 0) {
      return config.mtu();
    }
    List<Integer> ways = route().defaultRouteLinks();
    return route().links().stream()
        .filter(link -> ways.contains(link.index()) && link.mtu() > 0)
        .mapToInt(Link::mtu)
        .min()
        .orElse(DEFAULT_MTU);
  }

  private static void enableForwarding(boolean v6) throws IOException {
    switchOn(SYSCTL.resolve("ipv4/ip_forward"));
    Path forwarding = SYSCTL.resolve("ipv6/conf/all/forwarding");
    if (v6 && !isOn(forwarding)) {
      // A host that forwards stops believing its router unless told so with 2; it must not lose
      // its own way out by this.
      try (DirectoryStream<Path> links = Files.newDirectoryStream(SYSCTL.resolve("ipv6/conf"))) {
        for (Path link : links) {
          Path acceptRouters = link.resolve("accept_ra");
          if (isOn(acceptRouters)) {
            write(acceptRouters, "2");
            LOG.info("set {} to 2, so that the host keeps its routes", acceptRouters);
          }
        }
      }
      switchOn(forwarding);
    }
  }

  private static void switchOn(Path sysctl) throws IOException {
    if (!isOn(sysctl)) {
      write(sysctl, "1");
      LOG.info("set {} to 1, so that pods reach the outside", sysctl);
    }
  }

  private static boolean isOn(Path sysctl) throws IOException {
    return Files.readString(sysctl).trim().equals("1");
  }

  private static void write(Path sysctl, String value) throws IOException {
    Files.writeString(sysctl, value);
  }

  /** Puts all rules in place anew; connections under way do not notice. */
  synchronized void rebuildRules() {
    List<AddressPool> pools = currentPools.get();
    route().link(names.bridge()).ifPresent(bridge -> giveAddresses(bridge, pools));
    List<Lease> leases = activeLeases.get();
    tables().commit(rules.rebuild(ranges(pools), leases));
    if (groups != null) {
      groups.rebuild(leases).forEach(tables()::commit);
    }
    rulesCurrent = true;
  }

  /** Opens the ports of a pod and lets it into its groups. */
  synchronized void admit(Lease lease) {
    try {
      tables().commit(rules.open(lease));
      if (groups != null) {
        groups.add(lease).forEach(tables()::commit);
      }
    } catch (KernelException e) {
      if (!e.is(Errno.ENOENT)) {
        throw e;
      }
      rebuildRules(); // a group that is new
    }
  }

  /** Closes the ports of a pod, which is no longer active, and takes it out of its groups. */
  synchronized void dismiss(Lease lease) {
    try {
      tables().commit(rules.close(lease));
      if (groups != null) {
        List<Lease> others = activeLeases.get();
        boolean lastOfGroup = !GroupRules.groups(others).containsAll(lease.groups());
        (lastOfGroup ? groups.rebuild(others) : groups.remove(lease)).forEach(tables()::commit);
      }
    } catch (KernelException e) {
      if (!e.is(Errno.ENOENT)) {
        throw e;
      }
      rebuildRules(); // it was not admitted yet, or somebody flushed the rules
    }
  }

  /**
   * Lets clients that went on sending to a UDP host port, while nobody or another pod had it, come
   * to who has it now: the kernel would send them where their first datagram went.
   */
  void forgetFlows(Lease lease) {
    Set<Integer> ports =
        lease.portMappings().stream()
            .filter(mapping -> mapping.protocol() == PortMapping.Protocol.UDP)
            .map(PortMapping::hostPort)
            .collect(Collectors.toSet());
    if (ports.isEmpty()) {
      return;
    }
    try (ConnTrack flows = host.call(STEP, () -> ConnTrack.open(kernel))) {
      flows.forget(ConnTrack.UDP, ports::contains);
    } catch (KernelException e) {
      // The ports work for whoever is new; a kernel without ctnetlink can do no better.
      LOG.warn("flows to UDP host ports {} of pod {} stay: {}", ports, lease.pod(), e.getMessage());
    }
  }

  /** Works with the host's interfaces. */
  synchronized <T> T withRoutes(Function<RouteNetlink, T> work) {
    return work.apply(route());
  }

  /** Opens a connection of its own to the host's interfaces, for slow work. */
  RouteNetlink openRoutes() {
    return host.call(STEP, () -> RouteNetlink.open(kernel));
  }

  /** Names of the pods' interfaces on the bridge. */
  synchronized List<String> ports() {
    Optional<Link> bridge = route().link(names.bridge());
    List<String> ports = new ArrayList<>();
    if (bridge.isPresent()) {
      for (Link link : route().links()) {
        if (link.master() == bridge.get().index() && link.kind().equals("veth")) {
          ports.add(link.name());
        }
      }
    }
    return ports;
  }

  /** Whether bridge and rules are in place. */
  synchronized boolean isMade() {
    return route().link(names.bridge()).isPresent()
        && tables().hasTable(NftTransaction.INET, names.table());
  }

  /** Removes the bridge and the rules. */
  synchronized void remove() {
    if (tables().hasTable(NftTransaction.INET, names.table())) {
      tables().commit(rules.delete());
    }
    for (NftTransaction table : new GroupRules(names).delete()) {
      if (tables().hasTable(table.family(), table.table())) {
        tables().commit(table);
      }
    }
    if (route().link(names.bridge()).isPresent()) {
      route().run(List.of(route().deleteLink(names.bridge())));
    }
    rulesCurrent = false;
  }

  private static List<Cidr> ranges(List<AddressPool> pools) {
    return pools.stream().map(AddressPool::range).toList();
  }

  private RouteNetlink route() {
    RouteNetlink open = route;
    if (open == null || open.isBroken()) {
      if (open != null) {
        open.close();
      }
      open = host.call(STEP, () -> RouteNetlink.open(kernel));
      route = open;
    }
    return open;
  }

  private NfTables tables() {
    NfTables open = tables;
    if (open == null || open.isBroken()) {
      if (open != null) {
        open.close();
      }
      open = host.call(STEP, () -> NfTables.open(kernel));
      tables = open;
    }
    return open;
  }

  @Override
  public synchronized void close() {
    if (route != null) {
      route.close();
      route = null;
    }
    if (tables != null) {
      tables.close();
      tables = null;
    }
  }
}
