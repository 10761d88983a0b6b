package io.jrt.network;

import java.util.List;

/**
 * The built-in bridge network.
 *
 * @param subnets address ranges of the pods, at most one of each family; the first host address of
 *     each is the bridge's own. Replaced by the node's pod CIDRs if the cluster tells them
 * @param mtu the MTU of the pods' interfaces in bytes; 0 takes that of the interface with the
 *     default route
 * @param masquerade whether traffic from pods to the outside gets the host's address
 */
public record BridgeConfig(List<String> subnets, int mtu, boolean masquerade) {
  public static final BridgeConfig DEFAULT =
      new BridgeConfig(List.of("10.88.0.0/16", "fd00:6a72:7400::/64"), 0, true);

  public BridgeConfig {
    subnets = List.copyOf(subnets);
  }
}
