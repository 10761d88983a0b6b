package io.jrt.network.bridge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrt.linux.Fd;
import io.jrt.linux.Kernel;
import io.jrt.network.AttachRequest;
import io.jrt.network.Attachment;
import io.jrt.network.DnsConfig;
import io.jrt.network.HostNamespace;
import io.jrt.network.Lab;
import io.jrt.network.NetworkConfig;
import io.jrt.network.PodRef;
import io.jrt.network.PortMapping;
import io.jrt.network.PortMapping.Protocol;
import io.jrt.network.spi.NetworkContext;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The daemon dies at any moment; the next one finds and undoes what was under way. */
class BridgeCrashIT {
  private static final int PODS = 12;

  /** A daemon that attaches and detaches pods until it is killed. */
  public static void main(String[] arguments) {
    Path directory = Path.of(arguments[0]);
    Kernel kernel = Kernel.open();
    Fd host = kernel.namespaces().open(directory.resolve("host.netns"));
    BridgeNetworkProvider provider = provider(kernel, directory, HostNamespace.of(kernel, host));
    Random random = new Random(Long.parseLong(arguments[1]));
    System.out.println("ready");
    while (true) {
      int pod = random.nextInt(PODS);
      if (random.nextBoolean()) {
        provider.attach(request(directory, pod));
      } else {
        provider.detach(request(directory, pod).pod());
      }
    }
  }

  private static BridgeNetworkProvider provider(Kernel kernel, Path directory, HostNamespace host) {
    return new BridgeNetworkProvider(
        new NetworkContext(
            kernel,
            "t1",
            directory.resolve("root"),
            directory.resolve("state"),
            NetworkConfig.DEFAULT),
        host);
  }

  private static AttachRequest request(Path directory, int pod) {
    return new AttachRequest(
        new PodRef("pod" + pod, "pod" + pod, "default", "uid"),
        directory.resolve("p" + pod + ".netns"),
        Map.of(),
        Map.of(),
        List.of(new PortMapping(Protocol.TCP, 80, 20000 + pod, "")),
        DnsConfig.NONE,
        "");
  }

  @Test
  void killedAtAnyMomentNothingLeaksAndNoAddressIsGivenTwice() throws Exception {
    try (Lab lab = new Lab()) {
      Random random = new Random(7);
      for (int i = 0; i < PODS; i++) {
        lab.netns("p" + i);
      }
      for (int round = 0; round < 12; round++) {
        Process daemon =
            new ProcessBuilder(
                    Path.of(System.getProperty("java.home"), "bin/java").toString(),
                    "--enable-native-access=ALL-UNNAMED",
                    "-Djnr.ffi.x86asm.enabled=false",
                    "-XX:TieredStopAtLevel=1",
                    "-cp",
                    System.getProperty(
                        "surefire.test.class.path", System.getProperty("java.class.path")),
                    BridgeCrashIT.class.getName(),
                    lab.directory().toString(),
                    Integer.toString(round))
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        assertThat(daemon.inputReader().readLine()).isEqualTo("ready");
        Thread.sleep(random.nextInt(300));
        daemon.destroyForcibly().waitFor();
        recover(lab, random);
      }
    }
  }

  private static void recover(Lab lab, Random random) throws Exception {
    BridgeNetworkProvider provider = provider(lab.kernel(), lab.directory(), lab.hostNamespace());
    Set<String> keep = new HashSet<>();
    for (int i = 0; i < PODS; i++) {
      if (random.nextBoolean()) {
        keep.add("pod" + i);
      }
    }
    provider.gc(keep);
    Set<String> ips = new HashSet<>();
    List<AttachRequest> requests = new ArrayList<>();
    for (int i = 0; i < PODS; i++) {
      AttachRequest request = request(lab.directory(), i);
      requests.add(request);
      Attachment attachment = provider.attach(request);
      provider.check(request);
      for (String ip : attachment.ips()) {
        assertThat(ips.add(ip)).as(ip + " is given once").isTrue();
      }
    }
    for (AttachRequest request : requests) {
      provider.detach(request.pod());
    }
    provider.gc(Set.of());
    provider.close();
    try (Stream<Path> leases = Files.list(lab.directory().resolve("state/bridge"))) {
      assertThat(leases.filter(file -> file.toString().endsWith(".json"))).isEmpty();
    }
    assertThat(lab.ip(lab.host(), "-o link show type veth").lines().filter(l -> !l.contains("up0")))
        .isEmpty();
    assertThat(lab.run(lab.host(), List.of("nft", "list", "ruleset"))).doesNotContain("elements");
  }

  @Test
  void aHundredPodsComeAndGoWithoutATrace() throws Exception {
    try (Lab lab = new Lab()) {
      BridgeNetworkProvider provider = provider(lab.kernel(), lab.directory(), lab.hostNamespace());
      provider.podCidrs(List.of("10.99.0.0/28"));
      int descriptors = openDescriptors();
      lab.netns("p0");
      for (int i = 0; i < 100; i++) {
        provider.attach(request(lab.directory(), 0));
        provider.detach(request(lab.directory(), 0).pod());
      }
      provider.gc(Set.of());
      assertThat(openDescriptors()).isLessThan(descriptors + 10);
      provider.cleanupAll();
      provider.close();
      assertThat(lab.ip(lab.host(), "-o link")).doesNotContain("jrt-");
      assertThat(lab.run(lab.host(), List.of("nft", "list", "ruleset"))).isBlank();
    }
  }

  private static int openDescriptors() {
    return Objects.requireNonNull(Path.of("/proc/self/fd").toFile().list()).length;
  }

  @Test
  void twoDaemonsShareAHost() throws Exception {
    try (Lab lab = new Lab()) {
      BridgeNetworkProvider one = provider(lab.kernel(), lab.directory(), lab.hostNamespace());
      BridgeNetworkProvider two =
          new BridgeNetworkProvider(
              new NetworkContext(
                  lab.kernel(),
                  "t2",
                  lab.directory().resolve("root2"),
                  lab.directory().resolve("state2"),
                  NetworkConfig.DEFAULT),
              lab.hostNamespace());
      lab.netns("p0");
      lab.netns("p1");
      one.attach(request(lab.directory(), 0));
      assertThatThrownBy(() -> two.attach(request(lab.directory(), 1)))
          .hasMessageContaining("address range 10.88.0.0/16 overlaps 10.88.0.1/16 of the host");
      two.podCidrs(List.of("10.99.0.0/24", "fd00:99::/64"));
      Attachment other = two.attach(request(lab.directory(), 1));
      assertThat(other.ips()).containsExactly("10.99.0.2", "fd00:99::2");
      one.cleanupAll();
      two.check(request(lab.directory(), 1));
      two.cleanupAll();
      one.close();
      two.close();
      assertThat(lab.ip(lab.host(), "-o link")).doesNotContain("jrt-");
    }
  }
}
