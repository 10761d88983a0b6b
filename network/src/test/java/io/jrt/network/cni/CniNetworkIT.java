package io.jrt.network.cni;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrt.network.BridgeConfig;
import io.jrt.network.CniConfig;
import io.jrt.network.GroupsConfig;
import io.jrt.network.NetworkConfig;
import io.jrt.network.NetworkProvider;
import io.jrt.network.NetworkProviderContract;
import io.jrt.network.spi.NetworkContext;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** CNI's own bridge, host-local and portmap plugins, run by jrt, keep the contract. */
class CniNetworkIT extends NetworkProviderContract {

  @Override
  protected NetworkProvider open() throws Exception {
    Path conf = Files.createDirectories(lab.directory().resolve("net.d"));
    Files.writeString(
        conf.resolve("10-lab.conflist"),
        """
        {
          "cniVersion": "1.0.0",
          "name": "labnet",
          "plugins": [
            {
              "type": "bridge",
              "bridge": "cni0",
              "isGateway": true,
              "ipMasq": true,
              "hairpinMode": true,
              "ipam": {
                "type": "host-local",
                "dataDir": "%s",
                "ranges": [[{"subnet": "10.77.0.0/16"}], [{"subnet": "fd00:77::/64"}]],
                "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}]
              }
            },
            {"type": "portmap", "snat": true, "capabilities": {"portMappings": true}}
          ]
        }
        """
            .formatted(lab.directory().resolve("ipam")));
    return new CniNetworkProvider(context(conf), lab.hostNamespace());
  }

  private NetworkContext context(Path conf) {
    CniConfig cni =
        new CniConfig(
            List.of(conf),
            List.of(Path.of("/usr/lib/cni")),
            lab.directory().resolve("cache"),
            Duration.ofSeconds(30));
    return new NetworkContext(
        lab.kernel(),
        "t1",
        lab.directory().resolve("root"),
        lab.directory().resolve("state"),
        new NetworkConfig("cni", BridgeConfig.DEFAULT, cni, GroupsConfig.DEFAULT, Map.of()));
  }

  @Override
  protected String traces() throws Exception {
    StringBuilder found = new StringBuilder();
    for (String directory : List.of("ipam/labnet", "cache/results", "root/cni")) {
      Path path = lab.directory().resolve(directory);
      if (Files.exists(path)) {
        try (Stream<Path> files = Files.list(path)) {
          files
              .filter(file -> !file.getFileName().toString().matches("last_reserved_ip.*|lock"))
              .forEach(file -> found.append(file).append('\n'));
        }
      }
    }
    found.append(
        lab.ip(lab.host(), "-o link show type veth")
            .lines()
            .filter(line -> !line.contains("up0"))
            .reduce("", String::concat));
    return found.toString();
  }

  @Test
  void resultsLieInLibcnisCache() throws Exception {
    Pod a = pod();
    Path entry = lab.directory().resolve("cache/results/labnet-" + a.ref().sandboxId() + "-eth0");
    assertThat(Files.readString(entry))
        .contains("\"kind\":\"cniCacheV1\"", "\"networkName\":\"labnet\"", a.v4(), a.v6());
    provider.gc(Set.of(a.ref().sandboxId()));
    assertThat(entry).exists();
  }
}
