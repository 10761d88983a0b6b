package io.jrt.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jrt.cri.v1.NamespaceMode;
import io.jrt.cri.v1.PodSandboxConfig;
import io.jrt.cri.v1.PodSandboxStatusRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Pods on flannel's own CNI plug-in as k3s sets it up: the subnet from the agent's file, the rest
 * delegated to {@code bridge}. The program is named by {@code JRT_IT_FLANNEL}; without it, this is
 * skipped.
 */
class FlannelIT {
  private static final Path STANDARD = Path.of("/usr/lib/cni");

  private static String config(Path home, Path flannel) throws IOException {
    Path bin = Files.createDirectories(home.resolve("cni-bin"));
    Files.createSymbolicLink(bin.resolve("flannel"), flannel);
    Path conf = Files.createDirectories(home.resolve("net.d"));
    Files.writeString(
        home.resolve("subnet.env"),
        """
        FLANNEL_NETWORK=10.217.0.0/16
        FLANNEL_SUBNET=10.217.3.1/24
        FLANNEL_MTU=1450
        FLANNEL_IPMASQ=true
        """);
    Files.writeString(
        conf.resolve("10-flannel.conflist"),
        """
        {
          "name": "cbr0",
          "cniVersion": "1.0.0",
          "plugins": [
            {
              "type": "flannel",
              "subnetFile": "%s",
              "dataDir": "%s",
              "ipam": {"dataDir": "%s"},
              "delegate": {"hairpinMode": true, "forceAddress": true, "isDefaultGateway": true}
            },
            {"type": "bandwidth", "capabilities": {"bandwidth": true}}
          ]
        }
        """
            .formatted(
                home.resolve("subnet.env"), home.resolve("flannel"), home.resolve("addresses")));
    return """
    [network]
    provider = "cni"
    [network.cni]
    conf-dirs = ["%s"]
    bin-dirs = ["%s", "%s"]
    cache-dir = "%s"
    """
        .formatted(conf, bin, STANDARD, home.resolve("cni-cache"));
  }

  private static List<Path> files(Path directory) throws IOException {
    if (!Files.isDirectory(directory)) {
      return List.of();
    }
    try (Stream<Path> all = Files.walk(directory)) {
      return all.filter(Files::isRegularFile)
          .filter(file -> !file.endsWith("lock") && !file.toString().contains("last_reserved"))
          .toList();
    }
  }

  @Test
  void podsReachEachOtherAndLeaveNothing() throws Exception {
    String named = System.getenv("JRT_IT_FLANNEL");
    assumeTrue(named != null, "JRT_IT_FLANNEL names flannel's CNI plug-in");
    Path home = Daemon.newHome();
    try (OwnNetwork node = OwnNetwork.make(home.resolve("node-net"));
        Daemon daemon = Daemon.startIn(node, home, config(home, Path.of(named)))) {
      Cri cri = daemon.cri();
      String image = daemon.bundledImage();
      PodSandboxConfig first = Cri.pod("first", NamespaceMode.POD, home.resolve("logs")).build();
      PodSandboxConfig second = Cri.pod("second", NamespaceMode.POD, home.resolve("logs")).build();
      String one = cri.runPod(first);
      String two = cri.runPod(second);
      String address = address(cri, one);
      assertThat(address).startsWith("10.217.3.");
      assertThat(address(cri, two)).startsWith("10.217.3.").isNotEqualTo(address);
      String caller =
          cri.run(
              two, second, Cri.container("caller", image, "sh", "-c", "exec sleep 1000").build());
      assertThat(cri.exec(caller, "ping", "-c", "2", "-W", "5", address).getExitCode()).isZero();
      assertThat(cri.exec(caller, "ping", "-c", "1", "-W", "5", "10.217.3.1").getExitCode())
          .isZero();
      assertThat(cri.exec(caller, "cat", "/sys/class/net/eth0/mtu").getStdout().toStringUtf8())
          .isEqualTo("1450\n");
      // The next daemon gives back what flannel took for this one's pods.
      daemon.kill();
      daemon.restart();
      cri = daemon.cri();
      cri.removePod(one);
      cri.removePod(two);
      assertThat(files(home.resolve("addresses"))).isEmpty();
      assertThat(files(home.resolve("flannel"))).isEmpty();
      assertThat(files(home.resolve("cni-cache"))).isEmpty();
      assertThat(node.run("ip", "-br", "link")).doesNotContain("veth");
    }
  }

  private static String address(Cri cri, String pod) {
    return cri.runtime()
        .podSandboxStatus(PodSandboxStatusRequest.newBuilder().setPodSandboxId(pod).build())
        .getStatus()
        .getNetwork()
        .getIp();
  }
}
