package io.jrt.network;

import java.util.Map;

/**
 * The network part of the daemon's configuration.
 *
 * @param provider {@code bridge}, {@code cni}, or the name of a provider found on the class path
 * @param groups isolation between groups of pods; only the bridge provider has it
 * @param options free-form options for providers found on the class path
 */
public record NetworkConfig(
    String provider,
    BridgeConfig bridge,
    CniConfig cni,
    GroupsConfig groups,
    Map<String, String> options) {
  public static final NetworkConfig DEFAULT =
      new NetworkConfig(
          "bridge", BridgeConfig.DEFAULT, CniConfig.DEFAULT, GroupsConfig.DEFAULT, Map.of());

  public NetworkConfig {
    options = Map.copyOf(options);
  }
}
