package io.jrt.core.cgroup;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrt.security.DeviceRule;
import java.util.List;
import org.junit.jupiter.api.Test;

class LegacyDevicesTest {
  private static final DeviceRule NOTHING =
      new DeviceRule(false, 'a', DeviceRule.ANY, DeviceRule.ANY, "rwm");
  private static final LegacyDevices WANTED =
      LegacyDevices.of(
          List.of(
              NOTHING,
              new DeviceRule(true, 'c', DeviceRule.ANY, DeviceRule.ANY, "m"),
              new DeviceRule(true, 'c', 195, 0, "rw"),
              new DeviceRule(true, 'c', 195, 0, "m"),
              new DeviceRule(false, 'c', 195, 0, "m")));

  @Test
  void whatIsThereIsNotMissing() {
    LegacyDevices now = LegacyDevices.parse("c *:* m\nc 195:0 rw\n");
    assertThat(now).isEqualTo(WANTED);
    assertThat(WANTED.missing(now)).isEmpty();
    assertThat(now.isWithin(WANTED)).isTrue();
  }

  @Test
  void missingAccessesAreNamed() {
    assertThat(WANTED.missing(LegacyDevices.parse("c 195:0 r\n")))
        .containsExactly("c *:* m", "c 195:0 w");
  }

  @Test
  void whatSomebodyElseAllowsIsTooMuch() {
    assertThat(LegacyDevices.parse("a *:* rwm\n").isWithin(WANTED)).isFalse();
    assertThat(LegacyDevices.parse("c *:* m\nc 195:0 rwm\n").isWithin(WANTED)).isFalse();
    assertThat(LegacyDevices.parse("b 8:0 r\n").isWithin(WANTED)).isFalse();
  }

  @Test
  void privilegedContainerMayEverything() {
    LegacyDevices all =
        LegacyDevices.of(List.of(new DeviceRule(true, 'a', DeviceRule.ANY, DeviceRule.ANY, "rwm")));
    assertThat(all.missing(LegacyDevices.parse("c 1:3 rwm\n"))).containsExactly("a");
    assertThat(all.missing(LegacyDevices.parse("a *:* rwm\n"))).isEmpty();
  }
}
