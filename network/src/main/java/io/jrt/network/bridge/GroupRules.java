package io.jrt.network.bridge;

import static io.jrt.linux.netlink.NftExpression.Base.NETWORK;
import static io.jrt.linux.netlink.NftExpression.accept;
import static io.jrt.linux.netlink.NftExpression.drop;
import static io.jrt.linux.netlink.NftExpression.equal;
import static io.jrt.linux.netlink.NftExpression.jump;
import static io.jrt.linux.netlink.NftExpression.leave;
import static io.jrt.linux.netlink.NftExpression.lookup;
import static io.jrt.linux.netlink.NftExpression.mask;
import static io.jrt.linux.netlink.NftExpression.meta;
import static io.jrt.linux.netlink.NftExpression.missing;
import static io.jrt.linux.netlink.NftExpression.name;
import static io.jrt.linux.netlink.NftExpression.payload;
import static io.jrt.linux.netlink.NftTransaction.concat;

import io.jrt.linux.netlink.NftExpression;
import io.jrt.linux.netlink.NftExpression.Meta;
import io.jrt.linux.netlink.NftTransaction;
import io.jrt.linux.netlink.NftTransaction.Element;
import io.jrt.linux.netlink.NftTransaction.Hook;
import io.jrt.network.Cidr;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * Isolation between runtime groups: a pod reaches only pods that share a group with it.
 *
 * <p>Two tables are needed, because pods of one bridge have two ways to each other: frames that the
 * bridge forwards (family {@code bridge}, by port), and packets that the host routes back to the
 * bridge (family {@code inet}, by address), as through a host port. Of each group there is a set of
 * ports and a set of addresses of each family, with one rule that accepts what stays within it. So
 * that the second table can rely on addresses, the first drops packets with a source address that
 * is not the sender's.
 */
final class GroupRules {
  private static final int FILTER = 0;
  private static final int BRIDGE_FILTER = -200;
  private static final byte[] ETHERTYPE_IPV4 = {0x08, 0x00};
  private static final byte[] ETHERTYPE_IPV6 = {(byte) 0x86, (byte) 0xdd};

  private final Names names;

  GroupRules(Names names) {
    this.names = names;
  }

  private String inetTable() {
    return names.table() + "-groups";
  }

  /** The transactions that put the tables in place, whatever was there before. */
  List<NftTransaction> rebuild(Collection<Lease> leases) {
    List<Lease> pods = leases.stream().filter(l -> l.state() != Lease.State.RELEASING).toList();
    return List.of(bridgeTable(pods), inetTable(pods));
  }

  private NftTransaction bridgeTable(List<Lease> pods) {
    NftTransaction t = new NftTransaction(NftTransaction.BRIDGE, names.table());
    t.addTable().deleteTable().addTable();
    t.addSet("pods", NftTransaction.Type.NAME);
    t.addSet("sources4", NftTransaction.Type.NAME, NftTransaction.Type.IPV4);
    t.addSet("sources6", NftTransaction.Type.NAME, NftTransaction.Type.IPV6);
    t.addChain("prerouting", "filter", Hook.PREROUTING, BRIDGE_FILTER);
    spoofed(t, ETHERTYPE_IPV4, payload(NETWORK, 12, 4, 4), "sources4");
    // Link-local and unspecified sources are how IPv6 finds its neighbours.
    for (byte[][] allowed :
        new byte[][][] {
          {{(byte) 0xff, (byte) 0xc0}, {(byte) 0xfe, (byte) 0x80}}, {{-1, -1}, {0, 0}}
        }) {
      t.addRule(
          "prerouting",
          meta(Meta.PROTOCOL, 0),
          equal(0, ETHERTYPE_IPV6),
          payload(NETWORK, 8, 2, 0),
          mask(0, allowed[0]),
          equal(0, allowed[1]),
          leave());
    }
    spoofed(t, ETHERTYPE_IPV6, payload(NETWORK, 8, 16, 4), "sources6");
    t.addChain("groups");
    t.addChain("forward", "filter", Hook.FORWARD, BRIDGE_FILTER);
    NftExpression[] fromPod = {meta(Meta.IIFNAME, 0), lookup("pods", 0)};
    NftExpression[] toPod = {meta(Meta.OIFNAME, 0), lookup("pods", 0)};
    t.addRule("forward", fromPod[0], fromPod[1], toPod[0], toPod[1], jump("groups"));
    t.addRule("forward", fromPod[0], fromPod[1], toPod[0], toPod[1], drop());
    for (String group : groups(pods)) {
      String set = Names.group(group);
      t.addSet(set, NftTransaction.Type.NAME);
      t.addRule(
          "groups",
          meta(Meta.IIFNAME, 0),
          lookup(set, 0),
          meta(Meta.OIFNAME, 0),
          lookup(set, 0),
          accept());
    }
    bridgeElements(pods).forEach((set, elements) -> t.addElements(set, elements));
    return t;
  }

  private static void spoofed(
      NftTransaction t, byte[] etherType, NftExpression loadSource, String sources) {
    t.addRule(
        "prerouting",
        meta(Meta.PROTOCOL, 0),
        equal(0, etherType),
        meta(Meta.IIFNAME, 0),
        lookup("pods", 0),
        loadSource,
        missing(sources, 0),
        drop());
  }

  private NftTransaction inetTable(List<Lease> pods) {
    NftTransaction t = new NftTransaction(NftTransaction.INET, inetTable());
    t.addTable().deleteTable().addTable();
    t.addSet("pods4", NftTransaction.Type.IPV4);
    t.addSet("pods6", NftTransaction.Type.IPV6);
    t.addChain("groups");
    t.addChain("forward", "filter", Hook.FORWARD, FILTER);
    for (NftExpression end : List.of(jump("groups"), drop())) {
      for (boolean v6 : new boolean[] {false, true}) {
        t.addRule(
            "forward",
            meta(Meta.NFPROTO, 0),
            family(v6),
            meta(Meta.IIFNAME, 0),
            equal(0, name(names.bridge())),
            meta(Meta.OIFNAME, 0),
            equal(0, name(names.bridge())),
            address(v6, true),
            lookup(v6 ? "pods6" : "pods4", 0),
            address(v6, false),
            lookup(v6 ? "pods6" : "pods4", 0),
            end);
      }
    }
    for (String group : groups(pods)) {
      for (boolean v6 : new boolean[] {false, true}) {
        String set = Names.group(group) + (v6 ? "-6" : "-4");
        t.addSet(set, v6 ? NftTransaction.Type.IPV6 : NftTransaction.Type.IPV4);
        t.addRule(
            "groups",
            meta(Meta.NFPROTO, 0),
            family(v6),
            address(v6, true),
            lookup(set, 0),
            address(v6, false),
            lookup(set, 0),
            accept());
      }
    }
    inetElements(pods).forEach((set, elements) -> t.addElements(set, elements));
    return t;
  }

  private static NftExpression family(boolean v6) {
    return equal(0, new byte[] {(byte) (v6 ? 10 : 2)});
  }

  private static NftExpression address(boolean v6, boolean source) {
    return v6 ? payload(NETWORK, source ? 8 : 24, 16, 0) : payload(NETWORK, source ? 12 : 16, 4, 0);
  }

  /** Adds a pod all of whose groups exist. */
  List<NftTransaction> add(Lease lease) {
    NftTransaction bridge = new NftTransaction(NftTransaction.BRIDGE, names.table());
    bridgeElements(List.of(lease)).forEach((set, elements) -> bridge.addElements(set, elements));
    NftTransaction inet = new NftTransaction(NftTransaction.INET, inetTable());
    inetElements(List.of(lease)).forEach((set, elements) -> inet.addElements(set, elements));
    return List.of(bridge, inet);
  }

  /** Takes a pod out, which must be in. */
  List<NftTransaction> remove(Lease lease) {
    NftTransaction bridge = new NftTransaction(NftTransaction.BRIDGE, names.table());
    bridgeElements(List.of(lease)).forEach((set, elements) -> bridge.deleteElements(set, elements));
    NftTransaction inet = new NftTransaction(NftTransaction.INET, inetTable());
    inetElements(List.of(lease)).forEach((set, elements) -> inet.deleteElements(set, elements));
    return List.of(bridge, inet);
  }

  /** Deletes the tables, which must exist. */
  List<NftTransaction> delete() {
    return List.of(
        new NftTransaction(NftTransaction.BRIDGE, names.table()).deleteTable(),
        new NftTransaction(NftTransaction.INET, inetTable()).deleteTable());
  }

  /** The groups that have sets. */
  static SortedSet<String> groups(Collection<Lease> pods) {
    SortedSet<String> groups = new TreeSet<>();
    for (Lease pod : pods) {
      if (pod.state() != Lease.State.RELEASING) {
        groups.addAll(pod.groups());
      }
    }
    return groups;
  }

  private static Map<String, List<Element>> bridgeElements(List<Lease> pods) {
    ElementsBySet elements = new ElementsBySet();
    for (Lease pod : pods) {
      byte[] port = name(pod.veth());
      elements.put("pods", Element.of(port));
      for (Cidr cidr : pod.cidrs()) {
        elements.put(
            cidr.isV6() ? "sources6" : "sources4",
            Element.of(concat(port, cidr.address().bytes())));
      }
      for (String group : pod.groups()) {
        elements.put(Names.group(group), Element.of(port));
      }
    }
    return elements.sets();
  }

  private static Map<String, List<Element>> inetElements(List<Lease> pods) {
    ElementsBySet elements = new ElementsBySet();
    for (Lease pod : pods) {
      for (Cidr cidr : pod.cidrs()) {
        Element address = Element.of(cidr.address().bytes());
        elements.put(cidr.isV6() ? "pods6" : "pods4", address);
        for (String group : pod.groups()) {
          elements.put(Names.group(group) + (cidr.isV6() ? "-6" : "-4"), address);
        }
      }
    }
    return elements.sets();
  }
}
