package io.jrt.server.config;

import io.jrt.network.BridgeConfig;
import io.jrt.network.CniConfig;
import io.jrt.network.GroupsConfig;
import io.jrt.network.NetworkConfig;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** How pods are connected. */
public record NetworkSection(
    @Doc("bridge (built in, no plug-in needed), cni, or the name of a provider on the class path.")
        String provider,
    @Doc("Key and value pairs for a provider on the class path.") Map<String, String> options,
    @Doc("The built-in bridge.") Bridge bridge,
    @Doc("CNI plug-ins.") Cni cni,
    @Doc("Groups of pods that do not reach each other; only with the built-in bridge.")
        Groups groups) {

  public static final NetworkSection DEFAULT =
      new NetworkSection(
          NetworkConfig.DEFAULT.provider(), Map.of(), Bridge.DEFAULT, Cni.DEFAULT, Groups.DEFAULT);

  public NetworkSection {
    options = Map.copyOf(options);
  }

  /** The built-in bridge. */
  public record Bridge(
      @Doc("Addresses of the pods, at most one range of each family. The cluster's go before them.")
          List<String> subnets,
      @Doc("Bytes; 0 takes that of the interface with the default route.") int mtu,
      @Doc("Whether pods reach the outside under the host's address.") boolean masquerade) {

    public static final Bridge DEFAULT =
        new Bridge(
            BridgeConfig.DEFAULT.subnets(),
            BridgeConfig.DEFAULT.mtu(),
            BridgeConfig.DEFAULT.masquerade());

    public Bridge {
      subnets = List.copyOf(subnets);
    }
  }

  /** CNI plug-ins. */
  public record Cni(
      @Doc("Directories with network configurations; the first that holds a valid one wins.")
          List<Path> confDirs,
      @Doc("Directories with plug-ins, searched in this order.") List<Path> binDirs,
      @Doc("Where results are kept, as libcni does.") Path cacheDir,
      @Doc("How long one plug-in may run.") Duration pluginTimeout) {

    public static final Cni DEFAULT =
        new Cni(
            CniConfig.DEFAULT.confDirs(),
            CniConfig.DEFAULT.binDirs(),
            CniConfig.DEFAULT.cacheDir(),
            CniConfig.DEFAULT.pluginTimeout());

    public Cni {
      confDirs = List.copyOf(confDirs);
      binDirs = List.copyOf(binDirs);
    }
  }

  /** Groups of pods that do not reach each other. */
  public record Groups(
      @Doc("Whether pods reach only those that share a group with them.") boolean enabled,
      @Doc("The pod label that names its groups.") String label) {

    public static final Groups DEFAULT =
        new Groups(GroupsConfig.DEFAULT.enabled(), GroupsConfig.DEFAULT.label());
  }

  /** As the network module takes it. */
  public NetworkConfig toNetwork() {
    return new NetworkConfig(
        provider,
        new BridgeConfig(bridge.subnets(), bridge.mtu(), bridge.masquerade()),
        new CniConfig(cni.confDirs(), cni.binDirs(), cni.cacheDir(), cni.pluginTimeout()),
        new GroupsConfig(groups.enabled(), groups.label()),
        options);
  }
}
