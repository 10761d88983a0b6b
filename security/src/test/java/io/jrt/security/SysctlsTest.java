package io.jrt.security;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.security.Sysctls.Shared;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SysctlsTest {

  @ParameterizedTest
  @CsvSource({
    "net.ipv4.ip_forward, net/ipv4/ip_forward",
    "net/ipv4/ip_forward, net/ipv4/ip_forward",
    "net.ipv4.conf.eth0/100.forwarding, net/ipv4/conf/eth0.100/forwarding",
    "net/ipv4/conf/eth0.100/forwarding, net/ipv4/conf/eth0.100/forwarding",
    "kernel.shm_rmid_forced, kernel/shm_rmid_forced",
    "kernel.msgmax, kernel/msgmax",
    "kernel.sem, kernel/sem",
    "fs.mqueue.msg_max, fs/mqueue/msg_max",
    "kernel.domainname, kernel/domainname",
  })
  void namespacedParametersBecomePathsBelowProcSys(String name, String path) {
    assertThat(Sysctls.check(Map.of(name, "1"), Shared.NOTHING)).isEqualTo(Map.of(path, "1"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "kernel.core_pattern",
        "kernel/core_pattern",
        "vm.swappiness",
        "fs.file-max",
        "kernel.shm",
        "kernel.msgmax2",
        "network.x",
        "netx.y",
      })
  void nodesOwnParametersAreDenied(String name) {
    assertThatThrownBy(() -> Sysctls.check(Map.of(name, "1"), Shared.NOTHING))
        .isInstanceOfSatisfying(
            JrtException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.DENIED));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "net",
        "net.",
        ".net.ipv4",
        "net..ipv4",
        "net.ipv4.ip_forward+kernel.core_pattern",
        "net.ipv4.ip_forward=1\nkernel.core_pattern",
        "net/../kernel/core_pattern",
        "net/./ipv4/ip_forward",
        "/net/ipv4/ip_forward",
        "net.//kernel.core_pattern",
        "net.ipv4.ip_forward\0",
        "net.ipv4.ip forward",
      })
  void cve20220811_malformedNamesAreRefused(String name) {
    assertThatThrownBy(() -> Sysctls.check(Map.of(name, "1"), Shared.NOTHING))
        .isInstanceOfSatisfying(
            JrtException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.INVALID));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "1+kernel.core_pattern=|/x",
        "1\nkernel.core_pattern=x",
        "1\r",
        "1\0",
        "ü",
        "\u2028"
      })
  void cve20220811_valuesThatCarryAnotherSettingAreRefused(String value) {
    assertThatThrownBy(() -> Sysctls.check(Map.of("kernel.shm_rmid_forced", value), Shared.NOTHING))
        .isInstanceOfSatisfying(
            JrtException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.INVALID));
  }

  @Test
  void whatThePodSharesWithTheNodeIsTheNodes() {
    assertThatThrownBy(
            () -> Sysctls.check(Map.of("net.ipv4.ip_forward", "1"), new Shared(true, false, false)))
        .hasMessageContaining("uses the node's network");
    assertThatThrownBy(
            () -> Sysctls.check(Map.of("kernel.msgmax", "1"), new Shared(false, true, false)))
        .hasMessageContaining("uses the node's ipc");
    assertThatThrownBy(
            () -> Sysctls.check(Map.of("kernel.hostname", "x"), new Shared(false, false, true)))
        .hasMessageContaining("uses the node's names");
  }

  @Test
  void rangesAndListsAreValues() {
    assertThat(Sysctls.check(Map.of("net.ipv4.ip_local_port_range", "1024\t65535"), Shared.NOTHING))
        .containsValue("1024\t65535");
  }

  @Test
  void oneParameterInTwoSpellingsIsRefused() {
    assertThatThrownBy(
            () ->
                Sysctls.check(
                    Map.of("net.core.somaxconn", "1", "net/core/somaxconn", "2"), Shared.NOTHING))
        .hasMessageContaining("given twice");
  }
}
