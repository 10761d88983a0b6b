package io.jrt.network.bridge;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Errno;
import io.jrt.linux.Fd;
import io.jrt.linux.Kernel;
import io.jrt.linux.KernelException;
import io.jrt.linux.netlink.NetlinkMessage;
import io.jrt.linux.netlink.RouteNetlink;
import io.jrt.linux.netlink.RouteNetlink.Link;
import io.jrt.network.AttachRequest;
import io.jrt.network.Attachment;
import io.jrt.network.Bandwidth;
import io.jrt.network.Cidr;
import io.jrt.network.GroupsConfig;
import io.jrt.network.HostNamespace;
import io.jrt.network.HostPorts;
import io.jrt.network.IpAddress;
import io.jrt.network.NetworkProvider;
import io.jrt.network.NetworkStatus;
import io.jrt.network.PodRef;
import io.jrt.network.SandboxLocks;
import io.jrt.network.bridge.HostSide.Bridge;
import io.jrt.network.bridge.Lease.State;
import io.jrt.network.spi.NetworkContext;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The built-in network: every pod has a veth pair to one bridge, an address of each configured
 * range, and a default route to the bridge; the host forwards and masquerades, and host ports are
 * nf_tables maps. No program is started and none need be installed.
 *
 * <p>Each pod's {@link Lease} is stored before the kernel is touched and deleted after the last
 * trace is gone, so that whatever a crash leaves is undone by {@link #detach} or {@link #gc}.
 */
public final class BridgeNetworkProvider implements NetworkProvider {
  private static final Logger LOG = LoggerFactory.getLogger(BridgeNetworkProvider.class);
  private static final String ATTACH = "attach network";
  private static final String CHECK = "check network";
  private static final String COLLECT = "collect networks";
  private static final int LOOPBACK = 1;
  private static final long MIN_BURST = 64 << 10;
  private static final long MAX_BURST = 1 << 30;

  private final Kernel kernel;
  private final Names names;
  private final GroupsConfig groups;
  private final PodRanges ranges;
  private final LeaseStore leases;
  private final HostPorts hostPorts;
  private final HostSide host;
  private final LinkReaper reaper;
  private final SandboxLocks locks = new SandboxLocks();

  /** A provider whose host side is the daemon's own network namespace. */
  public BridgeNetworkProvider(NetworkContext context) {
    this(context, HostNamespace.own());
  }

  /**
   * @param hostNamespace where bridge and rules are made
   */
  public BridgeNetworkProvider(NetworkContext context, HostNamespace hostNamespace) {
    this.kernel = context.kernel();
    this.names = new Names(context.instanceId());
    this.groups = context.config().groups();
    this.leases = LeaseStore.open(context.stateDir().resolve("bridge"));
    this.ranges =
        PodRanges.open(context.rootDir(), context.config().bridge().subnets(), leases.last());
    this.hostPorts = new HostPorts(hostNamespace);
    this.host =
        new HostSide(
            kernel,
            hostNamespace,
            names,
            context.config().bridge(),
            groups.enabled() ? new GroupRules(names) : null,
            ranges::pools,
            this::active);
    this.reaper = new LinkReaper(host, this::gone);
    for (Lease lease : leases.all()) {
      ranges.restore(lease.cidrs());
      hostPorts.restore(lease.pod(), lease.portMappings());
    }
  }

  @Override
  public String name() {
    return "bridge";
  }

  @Override
  public NetworkStatus status() {
    return NetworkStatus.READY;
  }

  @Override
  public void podCidrs(List<String> cidrs) {
    if (ranges.replace(cidrs)) {
      host.rangesChanged();
    }
  }

  @Override
  public Attachment attach(AttachRequest request) {
    return locks.with(request.pod().sandboxId(), () -> attachLocked(request));
  }

  private Attachment attachLocked(AttachRequest request) {
    String id = request.pod().sandboxId();
    Optional<Lease> former = leases.find(id);
    if (former.isPresent()) {
      Lease lease = former.get();
      if (lease.netnsPath().equals(request.netns()) && isWhole(lease)) {
        return lease.attachment();
      }
      release(lease);
      reaper.drain();
    }
    Bandwidth bandwidth = Bandwidth.of(request.annotations());
    hostPorts.claim(request.pod(), request.portMappings());
    Lease lease;
    try {
      lease = makeLease(request);
    } catch (RuntimeException e) {
      hostPorts.release(id);
      throw e;
    }
    try {
      Lease attached = lease.attached(connect(lease, bandwidth));
      leases.put(attached);
      return attached.attachment();
    } catch (RuntimeException e) {
      JrtException error = explain(ATTACH, "cannot attach pod " + lease.pod(), e);
      try {
        release(lease);
        reaper.drain();
      } catch (RuntimeException undoing) {
        error.addSuppressed(undoing);
      }
      throw error;
    }
  }

  /** Whether it is attached, in this boot of the machine. */
  private boolean isWhole(Lease lease) {
    return lease.state() == State.ATTACHED
        && kernel.namespaces().isPinned(lease.netnsPath())
        && host.withRoutes(routes -> routes.link(lease.veth())).isPresent();
  }

  private Lease makeLease(AttachRequest request) {
    List<Cidr> addresses = ranges.take();
    Lease lease =
        new Lease(
            request.pod(),
            State.ATTACHING,
            request.netns().toString(),
            freeVeth(request.pod().sandboxId()),
            addresses.stream().map(Cidr::toString).toList(),
            RouteNetlink.mac(Macs.of(addresses.getFirst().address())),
            0,
            request.portMappings(),
            groups.enabled() ? GroupNames.of(request.labels(), groups.label()) : List.of());
    try {
      leases.put(lease);
      leases.putLast(ranges::last);
    } catch (RuntimeException e) {
      try {
        leases.remove(lease.sandboxId());
        ranges.release(addresses);
      } catch (RuntimeException further) {
        e.addSuppressed(further); // the addresses stay taken as long as the lease is there
      }
      throw e;
    }
    return lease;
  }

  private String freeVeth(String sandboxId) {
    Collection<Lease> all = leases.all();
    for (int attempt = 0; ; attempt++) {
      String veth = names.veth(sandboxId, attempt);
      if (all.stream().noneMatch(lease -> lease.veth().equals(veth))) {
        return veth;
      }
    }
  }

  /** Makes all that the lease says, and answers the MTU. */
  private int connect(Lease lease, Bandwidth bandwidth) {
    kernel.failPoints().hit("attach-network.make-interface");
    Bridge bridge = host.ensure();
    try (Fd netns = openNetns(lease.netnsPath());
        RouteNetlink pod =
            HostNamespace.callIn(
                kernel,
                netns,
                ATTACH,
                () -> {
                  distrustRouters();
                  return RouteNetlink.open(kernel);
                })) {
      byte[] mac = Macs.of(lease.cidrs().getFirst().address());
      host.withRoutes(
          routes -> {
            routes.run(
                List.of(
                    routes.addVeth(
                        lease.veth(),
                        bridge.index(),
                        bridge.mtu(),
                        Lease.POD_INTERFACE,
                        mac,
                        netns)));
            routes
                .link(lease.veth())
                .ifPresent(
                    port -> {
                      routes.run(List.of(routes.setHairpin(port.index())));
                      limit(routes, port.index(), bandwidth.ingress());
                    });
            return true;
          });
      kernel.failPoints().hit("attach-network.set-addresses");
      int index = podInterface(pod, lease).index();
      limit(pod, index, bandwidth.egress());
      List<NetlinkMessage> set = new ArrayList<>();
      set.add(pod.setUp(LOOPBACK));
      set.add(pod.setUp(index));
      for (Cidr cidr : lease.cidrs()) {
        set.add(pod.addAddress(index, cidr.address().toInetAddress(), cidr.prefix()));
        set.add(pod.addDefaultRoute(AddressPool.gateway(cidr).toInetAddress(), index));
      }
      pod.run(set);
    }
    kernel.failPoints().hit("attach-network.admit");
    host.admit(lease);
    host.forgetFlows(lease);
    kernel.failPoints().hit("attach-network.note");
    return bridge.mtu();
  }

  /**
   * Limits what leaves by one end of the pair: the host's end for what the pod receives, the pod's
   * for what it sends. Both go with the pair.
   */
  private static void limit(RouteNetlink routes, int index, long bitsPerSecond) {
    if (bitsPerSecond == 0) {
      return;
    }
    long rate = Math.max(1, bitsPerSecond / 8);
    // A tenth of a second of what the rate allows, and never less than one large segment.
    int burst = (int) Math.clamp(rate / 10, MIN_BURST, MAX_BURST);
    try {
      routes.run(List.of(routes.limit(index, rate, burst, burst)));
    } catch (KernelException e) {
      if (!e.is(Errno.ENOENT)) {
        throw e;
      }
      throw new JrtException(
          ErrorKind.FAILED_PRECONDITION,
          ATTACH,
          "the pod's bandwidth cannot be limited: this kernel has no token bucket",
          "load the module sch_tbf, or take the annotation away",
          e);
    }
  }

  /** A pod takes no routes from what another pod says to be a router. */
  private static void distrustRouters() throws IOException {
    Path sysctl = Path.of("/proc/sys/net/ipv6/conf/default/accept_ra");
    if (Files.exists(sysctl)) {
      Files.writeString(sysctl, "0");
    }
  }

  private static Link podInterface(RouteNetlink pod, Lease lease) {
    return pod.link(Lease.POD_INTERFACE)
        .orElseThrow(
            () ->
                new JrtException(
                    ErrorKind.FAILED_PRECONDITION,
                    CHECK,
                    "pod " + lease.pod() + " has no interface " + Lease.POD_INTERFACE));
  }

  private Fd openNetns(Path netns) {
    if (!kernel.namespaces().isPinned(netns)) {
      throw new JrtException(
          ErrorKind.NOT_FOUND, ATTACH, "network namespace " + netns + " does not exist");
    }
    return kernel.namespaces().open(netns);
  }

  @Override
  public void check(AttachRequest request) {
    Lease lease =
        leases
            .find(request.pod().sandboxId())
            .filter(found -> found.state() == State.ATTACHED)
            .orElseThrow(
                () ->
                    new JrtException(
                        ErrorKind.NOT_FOUND, CHECK, "pod " + request.pod() + " is not attached"));
    try {
      if (!host.isMade() || !host.ports().contains(lease.veth())) {
        throw new JrtException(
            ErrorKind.FAILED_PRECONDITION,
            CHECK,
            "interface " + lease.veth() + " of pod " + lease.pod() + " is not on the bridge");
      }
      try (Fd netns = openNetns(lease.netnsPath());
          RouteNetlink pod =
              HostNamespace.callIn(kernel, netns, CHECK, () -> RouteNetlink.open(kernel))) {
        Link link = podInterface(pod, lease);
        List<IpAddress> present =
            pod.addresses().stream()
                .filter(address -> address.link() == link.index())
                .map(address -> IpAddress.of(address.address().getAddress()))
                .toList();
        for (Cidr cidr : lease.cidrs()) {
          if (!link.up() || !present.contains(cidr.address())) {
            throw new JrtException(
                ErrorKind.FAILED_PRECONDITION,
                CHECK,
                "interface " + link.name() + " of pod " + lease.pod() + " lacks " + cidr);
          }
        }
      }
    } catch (KernelException e) {
      throw explain(CHECK, "cannot check pod " + lease.pod(), e);
    }
  }

  @Override
  public void detach(PodRef pod) {
    try {
      locks.run(pod.sandboxId(), () -> leases.find(pod.sandboxId()).ifPresent(this::release));
    } catch (KernelException e) {
      throw explain("detach network", "cannot detach pod " + pod, e);
    }
  }

  /**
   * Closes the pod's ports at once and has the interface deleted soon; its addresses are free after
   * that. May be repeated after it failed.
   */
  private void release(Lease lease) {
    if (reaper.isDeleting(lease.sandboxId())) {
      return;
    }
    Lease releasing = lease.in(State.RELEASING);
    leases.note(releasing);
    kernel.failPoints().hit("detach-network.dismiss");
    host.dismiss(lease);
    host.forgetFlows(lease);
    kernel.failPoints().hit("detach-network.delete-interface");
    hostPorts.release(lease.sandboxId());
    reaper.delete(releasing);
  }

  /** The interface is deleted: nothing is left but the lease. */
  private void gone(Lease lease) {
    kernel.failPoints().hit("detach-network.forget");
    leases.remove(lease.sandboxId());
    ranges.release(lease.cidrs());
  }

  /** The pods whose rules must be in place. */
  private List<Lease> active() {
    return leases.all().stream().filter(lease -> lease.state() != State.RELEASING).toList();
  }

  @Override
  public void gc(Set<String> validSandboxIds) {
    List<RuntimeException> errors = new ArrayList<>();
    reaper.drain();
    for (Lease lease : leases.all()) {
      String id = lease.sandboxId();
      if (lease.state() == State.RELEASING || !validSandboxIds.contains(id)) {
        LOG.info("collecting network of pod {}", lease.pod());
        try {
          locks.run(id, () -> leases.find(id).ifPresent(this::release));
        } catch (RuntimeException e) {
          errors.add(e);
        }
      }
    }
    reaper.drain();
    try {
      removeUnknownPorts();
      if (!leases.all().isEmpty()) {
        host.rebuildRules();
      }
    } catch (RuntimeException e) {
      errors.add(e);
    }
    if (!errors.isEmpty()) {
      JrtException error = explain(COLLECT, "cannot collect all networks", errors.getFirst());
      errors.stream().skip(1).forEach(error::addSuppressed);
      throw error;
    }
  }

  /** Interfaces on the bridge that no lease names; only a lost state directory leaves such. */
  private void removeUnknownPorts() {
    Set<String> unknown = new HashSet<>(host.ports());
    for (Lease lease : leases.all()) {
      unknown.remove(lease.veth());
    }
    if (!unknown.isEmpty()) {
      LOG.info("removing {} interfaces that belong to no pod", unknown.size());
      reaper.deleteLinks(List.copyOf(unknown));
    }
  }

  @Override
  public void cleanupAll() {
    gc(Set.of());
    try {
      host.remove();
    } catch (KernelException e) {
      throw explain(COLLECT, "cannot remove bridge " + names.bridge(), e);
    }
    leases.delete();
  }

  @Override
  public void close() {
    reaper.close();
    host.close();
  }

  private static JrtException explain(String step, String what, RuntimeException cause) {
    if (cause instanceof JrtException known) {
      return known;
    }
    return new JrtException(ErrorKind.INTERNAL, step, what + ": " + cause.getMessage(), cause);
  }
}
