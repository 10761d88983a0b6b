package io.jrt.security;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Kernel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Against this machine's kernel and devices. */
class SecurityIT {
  private final Security security = new Security(Kernel.open(), SecurityConfig.DEFAULT);

  @TempDir Path directory;

  @Test
  void capabilitiesAreWithinThoseOfThisProcess() throws IOException {
    long permitted =
        Files.readAllLines(Path.of("/proc/self/status")).stream()
            .filter(line -> line.startsWith("CapPrm:"))
            .mapToLong(line -> Long.parseUnsignedLong(line.substring(7).strip(), 16))
            .findFirst()
            .orElseThrow();

    CapabilitySet all =
        security.capabilities(new CapabilityRequest(true, List.of(), List.of(), List.of()));
    assertThat(all.bounding()).isEqualTo(permitted & Capabilities.ALL);
    assertThat(security.features().capabilities()).isEqualTo(permitted);
  }

  @Test
  void privilegedContainerSeesTheNodesDevices() {
    DeviceGrant grant = security.devices(List.of(), true);

    assertThat(grant.rules())
        .containsExactly(new DeviceRule(true, 'a', DeviceRule.ANY, DeviceRule.ANY, "rwm"));
    assertThat(grant.nodes()).extracting(DeviceNode::path).contains("/dev/null", "/dev/zero");
    assertThat(grant.nodes())
        .extracting(DeviceNode::path)
        .noneMatch(
            p -> p.startsWith("/dev/pts/") || p.startsWith("/dev/shm/") || p.equals("/dev/ptmx"));
  }

  @Test
  void askedDeviceGetsItsRuleAndItsPath() throws IOException {
    Path link = Files.createSymbolicLink(directory.resolve("link"), Path.of("/dev/full"));

    DeviceGrant grant =
        security.devices(List.of(new DeviceRequest(link + "", "/dev/mine", "r")), false);

    assertThat(grant.nodes()).hasSize(1);
    assertThat(grant.nodes().getFirst().path()).isEqualTo("/dev/mine");
    assertThat(grant.nodes().getFirst().minor()).isEqualTo(7);
    assertThat(grant.rules().getFirst())
        .isEqualTo(new DeviceRule(false, 'a', DeviceRule.ANY, DeviceRule.ANY, "rwm"));
    assertThat(grant.rules().getLast()).isEqualTo(new DeviceRule(true, 'c', 1, 7, "r"));
  }

  @Test
  void directoryOfDevicesIsTakenWhole() {
    DeviceGrant grant = security.devices(List.of(new DeviceRequest("/dev", "/devices", "")), false);

    assertThat(grant.nodes()).extracting(DeviceNode::path).contains("/devices/null");
    assertThat(grant.rules()).contains(new DeviceRule(true, 'c', 1, 3, "rwm"));
  }

  @Test
  void whatIsNoDeviceIsRefused() throws IOException {
    Path file = Files.writeString(directory.resolve("file"), "");

    assertThatThrownBy(() -> security.devices(List.of(new DeviceRequest(file + "", "", "")), false))
        .hasMessage(file + " is not a device");
    assertThatThrownBy(
            () -> security.devices(List.of(new DeviceRequest("/dev/none", "", "")), false))
        .isInstanceOfSatisfying(
            JrtException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.NOT_FOUND));
    assertThatThrownBy(
            () -> security.devices(List.of(new DeviceRequest("/dev/null", "", "rx")), false))
        .hasMessageContaining("permissions \"rx\"");
    assertThatThrownBy(
            () ->
                security.devices(
                    List.of(new DeviceRequest("/dev/null", "/dev/../etc/x", "")), false))
        .isInstanceOf(JrtException.class);
  }

  @Test
  void featuresSayWhyWithoutFailing() {
    SecurityFeatures features = security.features();

    assertThat(features.seccomp()).isEmpty();
    assertThat(features.userNamespaces()).isEmpty();
    if (!Files.exists(Path.of("/sys/module/apparmor"))) {
      assertThat(features.appArmor()).isEqualTo("not in this kernel");
    }
    if (!Files.exists(Path.of("/sys/fs/selinux/enforce"))) {
      assertThat(features.selinux()).isEqualTo("not active in this kernel");
    }
  }
}
