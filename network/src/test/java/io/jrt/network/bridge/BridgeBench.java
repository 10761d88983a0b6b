package io.jrt.network.bridge;

import io.jrt.network.AttachRequest;
import io.jrt.network.BridgeConfig;
import io.jrt.network.CniConfig;
import io.jrt.network.DnsConfig;
import io.jrt.network.GroupsConfig;
import io.jrt.network.Lab;
import io.jrt.network.NetworkConfig;
import io.jrt.network.NetworkProvider;
import io.jrt.network.PodRef;
import io.jrt.network.PortMapping;
import io.jrt.network.PortMapping.Protocol;
import io.jrt.network.cni.CniNetworkProvider;
import io.jrt.network.spi.NetworkContext;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Measures attach and detach of a pod with one IPv4 address and one host port, by the built-in
 * bridge and by the plugins bridge, host-local and portmap, turn by turn. Needs root; run its main
 * method with the test class path.
 */
public final class BridgeBench {
  private BridgeBench() {}

  public static void main(String[] arguments) throws Exception {
    int rounds = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 60;
    try (Lab lab = new Lab()) {
      Path conf = Files.createDirectories(lab.directory().resolve("net.d"));
      Files.writeString(
          conf.resolve("10.conflist"),
          """
          {"cniVersion":"1.0.0","name":"bench","plugins":[
           {"type":"bridge","bridge":"cni0","isGateway":true,"ipMasq":true,"hairpinMode":true,
            "ipam":{"type":"host-local","dataDir":"%s","ranges":[[{"subnet":"10.77.0.0/16"}]],
             "routes":[{"dst":"0.0.0.0/0"}]}},
           {"type":"portmap","snat":true,"capabilities":{"portMappings":true}}]}
          """
              .formatted(lab.directory().resolve("ipam")));
      NetworkConfig config =
          new NetworkConfig(
              "bridge",
              new BridgeConfig(List.of("10.88.0.0/16"), 0, true),
              new CniConfig(
                  List.of(conf),
                  List.of(Path.of("/usr/lib/cni")),
                  lab.directory().resolve("cache"),
                  Duration.ofSeconds(30)),
              GroupsConfig.DEFAULT,
              Map.of());
      NetworkContext context =
          new NetworkContext(
              lab.kernel(),
              "bench",
              lab.directory().resolve("root"),
              lab.directory().resolve("state"),
              config);
      NetworkProvider bridge = new BridgeNetworkProvider(context, lab.hostNamespace());
      NetworkProvider cni = new CniNetworkProvider(context, lab.hostNamespace());
      Path netns = lab.netns("pod");
      measure(bridge, netns, 20, false);
      measure(cni, netns, 5, false);
      System.out.println(
          "provider   attach p50/min   detach p50/min   detach, all gone p50/min  ms");
      measure(bridge, netns, rounds, true);
      measure(cni, netns, rounds, true);
      bridge.cleanupAll();
      cni.cleanupAll();
      bridge.close();
      cni.close();
    }
  }

  private static void measure(NetworkProvider provider, Path netns, int rounds, boolean print) {
    double[] attach = new double[rounds];
    double[] detach = new double[rounds];
    double[] gone = new double[rounds];
    for (int i = 0; i < rounds; i++) {
      AttachRequest request =
          new AttachRequest(
              new PodRef("bench" + i, "bench", "default", "uid"),
              netns,
              Map.of(),
              Map.of(),
              List.of(new PortMapping(Protocol.TCP, 80, 18080, "")),
              DnsConfig.NONE,
              "");
      long start = System.nanoTime();
      provider.attach(request);
      long attached = System.nanoTime();
      provider.detach(request.pod());
      long detached = System.nanoTime();
      provider.gc(Set.of());
      attach[i] = (attached - start) / 1e6;
      detach[i] = (detached - attached) / 1e6;
      gone[i] = (System.nanoTime() - attached) / 1e6;
    }
    if (print) {
      System.out.printf(
          "%-8s %8.2f /%6.2f %8.2f /%6.2f %12.2f /%6.2f%n",
          provider.name(),
          p50(attach),
          min(attach),
          p50(detach),
          min(detach),
          p50(gone),
          min(gone));
    }
  }

  private static double p50(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }

  private static double min(double[] values) {
    return Arrays.stream(values).min().orElseThrow();
  }
}
