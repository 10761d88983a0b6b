package io.jrt.network.bridge;

import static io.jrt.linux.netlink.NftExpression.Base.NETWORK;
import static io.jrt.linux.netlink.NftExpression.Base.TRANSPORT;
import static io.jrt.linux.netlink.NftExpression.ctOriginalDestinationPort;
import static io.jrt.linux.netlink.NftExpression.ctStatus;
import static io.jrt.linux.netlink.NftExpression.dnat;
import static io.jrt.linux.netlink.NftExpression.drop;
import static io.jrt.linux.netlink.NftExpression.equal;
import static io.jrt.linux.netlink.NftExpression.fibDestinationType;
import static io.jrt.linux.netlink.NftExpression.host32;
import static io.jrt.linux.netlink.NftExpression.jump;
import static io.jrt.linux.netlink.NftExpression.leave;
import static io.jrt.linux.netlink.NftExpression.lookup;
import static io.jrt.linux.netlink.NftExpression.map;
import static io.jrt.linux.netlink.NftExpression.mask;
import static io.jrt.linux.netlink.NftExpression.masquerade;
import static io.jrt.linux.netlink.NftExpression.meta;
import static io.jrt.linux.netlink.NftExpression.name;
import static io.jrt.linux.netlink.NftExpression.notEqual;
import static io.jrt.linux.netlink.NftExpression.payload;
import static io.jrt.linux.netlink.NftTransaction.concat;

import io.jrt.linux.netlink.NftExpression;
import io.jrt.linux.netlink.NftExpression.Meta;
import io.jrt.linux.netlink.NftTransaction;
import io.jrt.linux.netlink.NftTransaction.Element;
import io.jrt.linux.netlink.NftTransaction.Hook;
import io.jrt.network.Cidr;
import io.jrt.network.IpAddress;
import io.jrt.network.PortMapping;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/**
 * The provider's table in family {@code inet}: host ports, and masquerading of what leaves.
 *
 * <p>Host ports are elements of maps from (protocol, port) to the pod's address and port, one map
 * for ports of all host addresses and one for ports of a given one, so that a pod comes and goes
 * without a rule being touched, and the cost of a packet does not grow with the pods.
 */
final class Ruleset {
  private static final int DESTINATION_NAT = -100;
  private static final int SOURCE_NAT = 100;
  private static final int RAW = -300;

  private final Names names;
  private final boolean masquerade;

  /**
   * The numbers in which the two families differ: that of the address family, an address's length,
   * and where source and destination lie in the header.
   */
  private enum Family {
    V4(2, 4, 12, 16, NftTransaction.Type.IPV4),
    V6(10, 16, 8, 24, NftTransaction.Type.IPV6);

    private final int number;
    private final int length;
    private final int source;
    private final int destination;
    private final NftTransaction.Type type;

    Family(int number, int length, int source, int destination, NftTransaction.Type type) {
      this.number = number;
      this.length = length;
      this.source = source;
      this.destination = destination;
      this.type = type;
    }

    static Family of(IpAddress address) {
      return address.isV6() ? V6 : V4;
    }

    int registers() {
      return length / 4;
    }

    /** Ports of all host addresses: (protocol, port) to (pod address, pod port). */
    String anyMap() {
      return this == V4 ? "hostports4" : "hostports6";
    }

    /** Ports of one host address: (host address, protocol, port) to (pod address, pod port). */
    String addressMap() {
      return this == V4 ? "hostports4-ip" : "hostports6-ip";
    }

    /** Where host ports lead: (pod address, protocol, host port). */
    String targets() {
      return this == V4 ? "targets4" : "targets6";
    }

    NftExpression[] is(NftExpression... more) {
      NftExpression[] steps = new NftExpression[more.length + 2];
      steps[0] = meta(Meta.NFPROTO, 0);
      steps[1] = equal(0, new byte[] {(byte) number});
      System.arraycopy(more, 0, steps, 2, more.length);
      return steps;
    }
  }

  Ruleset(Names names, boolean masquerade) {
    this.names = names;
    this.masquerade = masquerade;
  }

  /** The transaction that puts the table in place, whatever was there before. */
  NftTransaction rebuild(List<Cidr> ranges, Collection<Lease> leases) {
    NftTransaction t = new NftTransaction(NftTransaction.INET, names.table());
    // Added first because only an existing table can be deleted.
    t.addTable().deleteTable().addTable();
    for (Family family : Family.values()) {
      List<NftTransaction.Type> target = List.of(family.type, NftTransaction.Type.PORT);
      t.addMap(
          family.anyMap(), List.of(NftTransaction.Type.PROTOCOL, NftTransaction.Type.PORT), target);
      t.addMap(
          family.addressMap(),
          List.of(family.type, NftTransaction.Type.PROTOCOL, NftTransaction.Type.PORT),
          target);
      t.addSet(
          family.targets(), family.type, NftTransaction.Type.PROTOCOL, NftTransaction.Type.PORT);
    }
    guardLoopback(t);
    hostPorts(t);
    sourceNat(t, ranges);
    addElements(t, leases.stream().filter(l -> l.state() != Lease.State.RELEASING).toList());
    return t;
  }

  /**
   * The bridge routes 127.0.0.0/8, or host ports would not work on localhost; nothing in a pod may
   * profit from that.
   */
  private void guardLoopback(NftTransaction t) {
    t.addChain("guard", "filter", Hook.PREROUTING, RAW);
    t.addRule(
        "guard",
        Family.V4.is(
            meta(Meta.IIFNAME, 0),
            equal(0, name(names.bridge())),
            payload(NETWORK, Family.V4.destination, 1, 0),
            equal(0, new byte[] {127}),
            drop()));
  }

  private static void hostPorts(NftTransaction t) {
    t.addChain("hostports");
    for (Family family : Family.values()) {
      int protocol = family.registers();
      int value = protocol + 2;
      t.addRule(
          "hostports",
          family.is(
              payload(NETWORK, family.destination, family.length, 0),
              meta(Meta.L4PROTO, protocol),
              payload(TRANSPORT, 2, 2, protocol + 1),
              map(family.addressMap(), 0, value),
              dnat(family.number, value, value + family.registers())));
      t.addRule(
          "hostports",
          family.is(
              meta(Meta.L4PROTO, 0),
              payload(TRANSPORT, 2, 2, 1),
              map(family.anyMap(), 0, 2),
              dnat(family.number, 2, 2 + family.registers())));
    }
    t.addChain("prerouting", "nat", Hook.PREROUTING, DESTINATION_NAT);
    t.addRule(
        "prerouting", fibDestinationType(0), equal(0, NftExpression.LOCAL), jump("hostports"));
    t.addChain("output", "nat", Hook.OUTPUT, DESTINATION_NAT);
    // 127.0.0.1 is where people try a host port; 127.0.0.53 and its like are services of the host.
    t.addRule(
        "output",
        Family.V4.is(
            payload(NETWORK, Family.V4.destination, 4, 0),
            notEqual(0, new byte[] {127, 0, 0, 1}),
            mask(0, new byte[] {(byte) 255, 0, 0, 0}),
            equal(0, new byte[] {127, 0, 0, 0}),
            leave()));
    t.addRule("output", fibDestinationType(0), equal(0, NftExpression.LOCAL), jump("hostports"));
  }

  private void sourceNat(NftTransaction t, List<Cidr> ranges) {
    t.addChain("postrouting", "nat", Hook.POSTROUTING, SOURCE_NAT);
    // From localhost to a host port: the pod could not answer to 127.0.0.1.
    t.addRule(
        "postrouting",
        Family.V4.is(
            meta(Meta.OIFNAME, 0),
            equal(0, name(names.bridge())),
            payload(NETWORK, Family.V4.source, 1, 0),
            equal(0, new byte[] {127}),
            masquerade()));
    for (Cidr range : ranges) {
      Family family = Family.of(range.address());
      int protocol = family.registers();
      // From a pod through a host port to a pod of this bridge, perhaps itself: the answer must
      // come back through the host, which knows of the translation.
      t.addRule(
          "postrouting",
          family.is(
              join(
                  from(family, range),
                  new NftExpression[] {
                    ctStatus(0),
                    mask(0, host32(NftExpression.STATUS_DNAT)),
                    notEqual(0, host32(0)),
                    payload(NETWORK, family.destination, family.length, 0),
                    meta(Meta.L4PROTO, protocol),
                    ctOriginalDestinationPort(protocol + 1),
                    lookup(family.targets(), 0),
                    masquerade()
                  })));
      if (masquerade) {
        List<NftExpression> steps = new ArrayList<>(List.of(from(family, range)));
        for (Cidr other : ranges) {
          if (Family.of(other.address()) == family) {
            steps.addAll(List.of(inRange(family.destination, family, other, false)));
          }
        }
        steps.add(payload(NETWORK, family.destination, 1, 0));
        if (family == Family.V4) {
          steps.add(mask(0, new byte[] {(byte) 0xf0}));
          steps.add(notEqual(0, new byte[] {(byte) 0xe0}));
        } else {
          steps.add(notEqual(0, new byte[] {(byte) 0xff}));
        }
        steps.add(masquerade());
        t.addRule("postrouting", family.is(steps.toArray(NftExpression[]::new)));
      }
    }
  }

  private static NftExpression[] from(Family family, Cidr range) {
    return inRange(family.source, family, range, true);
  }

  private static NftExpression[] inRange(int offset, Family family, Cidr range, boolean inside) {
    byte[] network = range.network().address().bytes();
    byte[] ones = new byte[family.length];
    for (int bit = 0; bit < range.prefix(); bit++) {
      ones[bit / 8] |= (byte) (0x80 >> (bit % 8));
    }
    return new NftExpression[] {
      payload(NETWORK, offset, family.length, 0),
      mask(0, ones),
      inside ? equal(0, network) : notEqual(0, network)
    };
  }

  private static NftExpression[] join(NftExpression[] a, NftExpression[] b) {
    NftExpression[] all = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, all, a.length, b.length);
    return all;
  }

  /** Opens the host ports of a pod; empty if it has none. */
  NftTransaction open(Lease lease) {
    NftTransaction t = new NftTransaction(NftTransaction.INET, names.table());
    addElements(t, List.of(lease));
    return t;
  }

  /** Closes the host ports of a pod, which must be open. */
  NftTransaction close(Lease lease) {
    NftTransaction t = new NftTransaction(NftTransaction.INET, names.table());
    elements(List.of(lease)).forEach((set, elements) -> t.deleteElements(set, elements));
    return t;
  }

  /** Deletes the table, which must exist. */
  NftTransaction delete() {
    return new NftTransaction(NftTransaction.INET, names.table()).deleteTable();
  }

  private static void addElements(NftTransaction t, Collection<Lease> leases) {
    elements(leases).forEach((set, elements) -> t.addElements(set, elements));
  }

  private static Map<String, List<Element>> elements(Collection<Lease> leases) {
    ElementsBySet elements = new ElementsBySet();
    for (Lease lease : leases) {
      for (Cidr cidr : lease.cidrs()) {
        for (PortMapping mapping : lease.portMappings()) {
          add(elements, mapping, cidr.address());
        }
      }
    }
    return elements.sets();
  }

  private static void add(ElementsBySet elements, PortMapping mapping, IpAddress pod) {
    Family family = Family.of(pod);
    byte[] protocol = {(byte) mapping.protocol().number()};
    byte[] port = port(mapping.hostPort());
    byte[] target = concat(pod.bytes(), port(mapping.containerPort()));
    if (mapping.hostIp().isEmpty()) {
      elements.put(family.anyMap(), Element.of(concat(protocol, port), target));
    } else {
      IpAddress host = IpAddress.parse(mapping.hostIp());
      if (Family.of(host) != family) {
        return; // this address of the pod cannot be reached from that host address
      }
      elements.put(family.addressMap(), Element.of(concat(host.bytes(), protocol, port), target));
    }
    elements.put(family.targets(), Element.of(concat(pod.bytes(), protocol, port)));
  }

  private static byte[] port(int port) {
    return new byte[] {(byte) (port >> 8), (byte) port};
  }
}
