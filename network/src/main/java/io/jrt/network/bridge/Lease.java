package io.jrt.network.bridge;

import io.jrt.network.Attachment;
import io.jrt.network.Cidr;
import io.jrt.network.PodRef;
import io.jrt.network.PortMapping;
import java.nio.file.Path;
import java.util.List;

/**
 * All that the bridge provider did or is about to do for one sandbox; enough to undo it.
 *
 * <p>Life: {@link State#ATTACHING} is stored before anything changes, {@link State#ATTACHED} when
 * all is done, {@link State#RELEASING} before the first step of undoing; then it is deleted.
 *
 * @param veth the interface on the host
 * @param addresses the pod's addresses with the prefix length of their range, e.g. {@code
 *     10.88.0.2/16}
 * @param mac the hardware address of the pod's interface
 * @param mtu of the pod's interface in bytes, 0 until it is attached
 * @param groups the pod's runtime groups
 */
record Lease(
    PodRef pod,
    State state,
    String netns,
    String veth,
    List<String> addresses,
    String mac,
    int mtu,
    List<PortMapping> portMappings,
    List<String> groups) {

  /** How far it is. */
  enum State {
    ATTACHING,
    ATTACHED,
    RELEASING
  }

  /** The interface in the pod. */
  static final String POD_INTERFACE = "eth0";

  Lease {
    addresses = List.copyOf(addresses);
    portMappings = List.copyOf(portMappings);
    groups = List.copyOf(groups);
  }

  String sandboxId() {
    return pod.sandboxId();
  }

  Path netnsPath() {
    return Path.of(netns);
  }

  List<Cidr> cidrs() {
    return addresses.stream().map(Cidr::parse).toList();
  }

  Lease in(State newState) {
    return new Lease(pod, newState, netns, veth, addresses, mac, mtu, portMappings, groups);
  }

  /** The lease when all is done. */
  Lease attached(int actualMtu) {
    return new Lease(
        pod, State.ATTACHED, netns, veth, addresses, mac, actualMtu, portMappings, groups);
  }

  Attachment attachment() {
    return new Attachment(
        sandboxId(),
        POD_INTERFACE,
        cidrs().stream().map(cidr -> cidr.address().toString()).toList(),
        mac,
        mtu);
  }
}
