package io.jrt.network.bridge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.network.AttachRequest;
import io.jrt.network.Lab;
import io.jrt.network.NetworkConfig;
import io.jrt.network.NetworkProvider;
import io.jrt.network.NetworkProviderContract;
import io.jrt.network.PortMapping;
import io.jrt.network.PortMapping.Protocol;
import io.jrt.network.spi.NetworkContext;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

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

  @Test
  void sctpHostPortLeadsToThePod() throws Exception {
    Pod a = pod(new PortMapping(Protocol.SCTP, 8080, 18080, ""));
    lab.run(a.netns(), List.of("nft", "add table inet seen"));
    lab.run(
        a.netns(),
        List.of("nft", "add chain inet seen in { type filter hook prerouting priority 0; }"));
    for (String family : List.of("ipv4", "ipv6")) {
      lab.run(
          a.netns(),
          List.of(
              "nft",
              "add rule inet seen in meta nfproto %s sctp dport 8080 counter".formatted(family)));
    }
    lab.sendSctp(lab.outside(), Lab.HOST_V4, 18080);
    lab.sendSctp(lab.outside(), Lab.HOST_V6, 18080);
    lab.sendSctp(lab.outside(), Lab.HOST_V4, 18081);
    assertThat(lab.run(a.netns(), List.of("nft", "list", "table", "inet", "seen")))
        .contains(
            "meta nfproto ipv4 sctp dport 8080 counter packets 1",
            "meta nfproto ipv6 sctp dport 8080 counter packets 1");
  }

  private AttachRequest limited(String ingress, String egress) {
    AttachRequest plain = request(Map.of());
    return new AttachRequest(
        plain.pod(),
        plain.netns(),
        plain.labels(),
        Map.of(
            "kubernetes.io/ingress-bandwidth", ingress, "kubernetes.io/egress-bandwidth", egress),
        plain.portMappings(),
        plain.dns(),
        plain.cgroupParent());
  }

  /** How long a megabyte takes from one namespace to a server in another. */
  private Duration megabyte(Path from, Path to, String address) throws Exception {
    try (ServerSocketChannel server = lab.in(to, ServerSocketChannel::open)) {
      server.bind(new InetSocketAddress("0.0.0.0", 0));
      int port = server.socket().getLocalPort();
      long began = System.nanoTime();
      try (SocketChannel client = lab.in(from, SocketChannel::open)) {
        client.connect(new InetSocketAddress(address, port));
        try (SocketChannel accepted = server.accept()) {
          Thread writer =
              Thread.ofVirtual()
                  .start(
                      () -> {
                        try (client) {
                          ByteBuffer bytes = ByteBuffer.allocate(1_000_000);
                          while (bytes.hasRemaining()) {
                            client.write(bytes);
                          }
                        } catch (IOException e) {
                          throw new UncheckedIOException(e);
                        }
                      });
          assertThat(accepted.socket().getInputStream().readAllBytes()).hasSize(1_000_000);
          writer.join();
        }
      }
      return Duration.ofNanos(System.nanoTime() - began);
    }
  }

  @Test
  void bandwidthOfAPodIsLimitedBothWays() throws Exception {
    Pod fast = pod();
    Pod slow = attach(limited("8M", "16M"));
    assertThat(lab.run(slow.netns(), List.of("tc", "qdisc", "show", "dev", "eth0")))
        .contains("tbf", "rate 16Mbit");
    assertThat(lab.run(lab.host(), List.of("tc", "qdisc", "show"))).contains("rate 8Mbit");
    // Less what may go at once: sooner it cannot be, however fast the machine is.
    assertThat(megabyte(fast.netns(), slow.netns(), slow.v4()))
        .isGreaterThan(Duration.ofMillis(800));
    assertThat(megabyte(slow.netns(), fast.netns(), fast.v4()))
        .isGreaterThan(Duration.ofMillis(350));
    assertThat(lab.run(fast.netns(), List.of("tc", "qdisc", "show", "dev", "eth0")))
        .doesNotContain("tbf");
    provider.detach(slow.ref());
    provider.gc(Set.of(fast.ref().sandboxId()));
    assertThat(lab.run(lab.host(), List.of("tc", "qdisc", "show"))).doesNotContain("tbf");
  }

  @Test
  void whatIsNoBandwidthIsRefusedAndLeavesNothing() throws Exception {
    for (String wrong : List.of("", "10X", "-1", "12", "1e3", "9".repeat(400))) {
      assertThatThrownBy(() -> provider.attach(limited(wrong, "1M")))
          .isInstanceOfSatisfying(
              JrtException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.INVALID))
          .hasMessageContaining("kubernetes.io/ingress-bandwidth");
    }
    provider.gc(Set.of());
    assertThat(traces()).isEmpty();
  }
}
