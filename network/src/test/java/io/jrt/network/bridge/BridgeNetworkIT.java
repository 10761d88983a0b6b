package io.jrt.network.bridge;

import io.jrt.network.NetworkConfig;
import io.jrt.network.NetworkProvider;
import io.jrt.network.NetworkProviderContract;
import io.jrt.network.spi.NetworkContext;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** The built-in network keeps the contract. */
class BridgeNetworkIT extends NetworkProviderContract {

  @Override
  protected NetworkProvider open() {
    return new BridgeNetworkProvider(context(NetworkConfig.DEFAULT), lab.hostNamespace());
  }

  private NetworkContext context(NetworkConfig config) {
    return new NetworkContext(
        lab.kernel(),
        "t1",
        lab.directory().resolve("root"),
        lab.directory().resolve("state"),
        config);
  }

  @Override
  protected String traces() throws Exception {
    StringBuilder found = new StringBuilder();
    Path leases = lab.directory().resolve("state/bridge");
    if (Files.exists(leases)) {
      try (Stream<Path> files = Files.list(leases)) {
        files
            .filter(file -> file.toString().endsWith(".json"))
            .forEach(file -> found.append(file).append('\n'));
      }
    }
    found.append(
        lab.ip(lab.host(), "-o link show type veth")
            .lines()
            .filter(line -> !line.contains("up0"))
            .reduce("", String::concat));
    String rules = lab.run(lab.host(), List.of("nft", "list", "ruleset"));
    if (rules.contains("elements")) {
      found.append(rules);
    }
    return found.toString();
  }
}
