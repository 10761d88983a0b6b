package io.jrt.server.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrt.errors.JrtException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import org.junit.jupiter.api.Test;

class MetricsAddressTest {

  @Test
  void onlyLoopbackIsServed() {
    assertThat(MetricsServer.loopback("127.0.0.1:9105"))
        .isEqualTo(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 9105));
    assertThat(MetricsServer.loopback("[::1]:0").getAddress().isLoopbackAddress()).isTrue();
    assertThatThrownBy(() -> MetricsServer.loopback("0.0.0.0:9105"))
        .isInstanceOf(JrtException.class)
        .hasMessage("metrics.address 0.0.0.0:9105 is not on loopback");
    assertThatThrownBy(() -> MetricsServer.loopback("127.0.0.1")).isInstanceOf(JrtException.class);
    assertThatThrownBy(() -> MetricsServer.loopback("127.0.0.1:port"))
        .hasMessageContaining("has no port");
  }
}
