package io.jrt.network;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrt.network.PortMapping.Protocol;
import org.junit.jupiter.api.Test;

class HostPortsTest {
  private static PortMapping on(String hostIp) {
    return new PortMapping(Protocol.TCP, 80, 8080, hostIp);
  }

  private static Listener listening(String address) {
    return new Listener(Protocol.TCP, IpAddress.parse(address), 8080, 1);
  }

  @Test
  void samePortConflictsUnlessTheAddressesDiffer() {
    assertThat(on("").conflictsWith(on("10.0.0.1"))).isTrue();
    assertThat(on("10.0.0.1").conflictsWith(on("10.0.0.1"))).isTrue();
    assertThat(on("10.0.0.1").conflictsWith(on("10.0.0.2"))).isFalse();
    assertThat(on("0.0.0.0").hostIp()).isEmpty();
    assertThat(on("").conflictsWith(new PortMapping(Protocol.UDP, 80, 8080, ""))).isFalse();
    assertThat(on("fd00::1").hostSide()).isEqualTo("[fd00::1]:8080/tcp");
  }

  @Test
  void listenersBlockWhatTheyWouldLose() {
    assertThat(listening("0.0.0.0").blocks(on(""))).isTrue();
    assertThat(listening("::").blocks(on("10.0.0.1"))).isTrue();
    assertThat(listening("0.0.0.0").blocks(on("fd00::1"))).isFalse();
    assertThat(listening("10.0.0.2").blocks(on("10.0.0.1"))).isFalse();
    assertThat(listening("127.0.0.53").blocks(on(""))).as("a service of the host").isFalse();
    assertThat(listening("127.0.0.1").blocks(on("127.0.0.1"))).isTrue();
  }
}
