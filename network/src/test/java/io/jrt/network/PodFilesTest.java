package io.jrt.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrt.errors.JrtException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PodFilesTest {
  @TempDir Path directory;

  @Test
  void resolvConfSaysWhatWasAsked() {
    DnsConfig dns =
        new DnsConfig(
            List.of("10.0.0.10", "fd00::a"),
            List.of("default.svc.cluster.local", "cluster.local"),
            List.of("ndots:5"));
    assertThat(PodFiles.resolvConf(dns, directory.resolve("none")))
        .isEqualTo(
            """
            search default.svc.cluster.local cluster.local
            nameserver 10.0.0.10
            nameserver fd00::a
            options ndots:5
            """);
  }

  @Test
  void withoutDnsConfigThePodGetsTheHosts() throws IOException {
    Path host = Files.writeString(directory.resolve("resolv.conf"), "nameserver 192.0.2.53\n");
    assertThat(PodFiles.resolvConf(DnsConfig.NONE, host)).isEqualTo("nameserver 192.0.2.53\n");
    assertThat(PodFiles.resolvConf(DnsConfig.NONE, directory.resolve("none"))).isEmpty();
  }

  @Test
  void aValueCannotBeginAnotherLine() {
    DnsConfig dns = new DnsConfig(List.of("1.1.1.1\noptions debug"), List.of(), List.of());
    assertThatThrownBy(() -> PodFiles.resolvConf(dns, directory)).isInstanceOf(JrtException.class);
    assertThatThrownBy(() -> PodFiles.hostname("a b")).isInstanceOf(JrtException.class);
  }

  @Test
  void hostsHasThePodsOwnName() throws IOException {
    Path host = Files.writeString(directory.resolve("hosts"), "127.0.0.1 localhost");
    assertThat(PodFiles.hosts("web", List.of("10.88.0.2", "fd00::2"), host))
        .isEqualTo("127.0.0.1 localhost\n10.88.0.2\tweb\nfd00::2\tweb\n");
    assertThat(PodFiles.hosts("web", List.of(), host)).isEqualTo("127.0.0.1 localhost\n");
    assertThat(PodFiles.hostname("web")).isEqualTo("web\n");
  }
}
