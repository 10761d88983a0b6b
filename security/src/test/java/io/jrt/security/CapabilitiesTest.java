package io.jrt.security;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrt.errors.JrtException;
import java.util.List;
import org.junit.jupiter.api.Test;

class CapabilitiesTest {
  private static final long EVERYTHING = -1L;

  private static CapabilitySet resolve(List<String> add, List<String> drop, List<String> ambient) {
    return Capabilities.resolve(new CapabilityRequest(false, add, drop, ambient), EVERYTHING);
  }

  private static CapabilitySet resolve(List<String> add, List<String> drop) {
    return resolve(add, drop, List.of());
  }

  @Test
  void containerThatAsksForNothingHasTheFourteen() {
    CapabilitySet set = Capabilities.resolve(CapabilityRequest.DEFAULT, EVERYTHING);

    assertThat(set.bounding()).isEqualTo(0xa80425fbL);
    assertThat(set.permitted()).isEqualTo(set.bounding());
    assertThat(set.effective()).isEqualTo(set.bounding());
    assertThat(Capabilities.names(set.bounding())).hasSize(14);
  }

  @Test
  void inheritableIsEmpty() { // CVE-2022-24769
    assertThat(Capabilities.resolve(CapabilityRequest.DEFAULT, EVERYTHING).inheritable()).isZero();
    assertThat(resolve(List.of("ALL"), List.of()).inheritable()).isZero();
  }

  @Test
  void namesComeWithAndWithoutPrefixInAnyCase() {
    assertThat(resolve(List.of("CAP_SYS_ADMIN"), List.of()))
        .isEqualTo(resolve(List.of("sys_admin"), List.of()));
    assertThatThrownBy(() -> resolve(List.of("CAP_SYS_ADMINISTRATOR"), List.of()))
        .isInstanceOf(JrtException.class)
        .hasMessage("unknown capability \"CAP_SYS_ADMINISTRATOR\"");
  }

  @Test
  void allDroppedAndOneAddedLeavesOne() {
    assertThat(resolve(List.of("NET_BIND_SERVICE"), List.of("ALL")).bounding())
        .isEqualTo(Capability.NET_BIND_SERVICE.bit());
  }

  @Test
  void allAddedAndOneDroppedLeavesTheRest() {
    assertThat(resolve(List.of("ALL"), List.of("SYS_ADMIN")).bounding())
        .isEqualTo(Capabilities.ALL & ~Capability.SYS_ADMIN.bit());
  }

  @Test
  void droppedWinsOverAddedByName() {
    assertThat(resolve(List.of("SYS_TIME"), List.of("SYS_TIME")).bounding())
        .isEqualTo(Capabilities.DEFAULT);
  }

  @Test
  void ambientIsAddedToAllSetsAndInheritable() {
    CapabilitySet set = resolve(List.of(), List.of("ALL"), List.of("NET_RAW"));

    long raw = Capability.NET_RAW.bit();
    assertThat(set).isEqualTo(new CapabilitySet(raw, raw, raw, raw, raw, List.of()));
  }

  @Test
  void whatTheDaemonLacksIsLeftOutAndNamed() {
    long available = EVERYTHING & ~Capability.SYS_RESOURCE.bit();
    CapabilitySet named =
        Capabilities.resolve(
            new CapabilityRequest(false, List.of("SYS_RESOURCE"), List.of(), List.of()), available);
    CapabilitySet privileged =
        Capabilities.resolve(
            new CapabilityRequest(true, List.of(), List.of(), List.of()), available);

    assertThat(named.missing()).containsExactly("CAP_SYS_RESOURCE");
    assertThat(named.bounding()).isEqualTo(Capabilities.DEFAULT);
    assertThat(privileged.bounding()).isEqualTo(Capabilities.ALL & available);
    assertThat(privileged.missing()).isEmpty();
  }
}
