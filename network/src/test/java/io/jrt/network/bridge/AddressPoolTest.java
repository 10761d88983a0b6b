package io.jrt.network.bridge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrt.errors.JrtException;
import io.jrt.network.Cidr;
import io.jrt.network.IpAddress;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class AddressPoolTest {
  private final AddressPool pool = new AddressPool(Cidr.parse("10.0.0.0/29"));

  @Test
  void everyHostAddressButTheBridgesIsGivenOnce() {
    Set<String> given = new HashSet<>();
    for (int i = 0; i < 5; i++) {
      assertThat(given.add(pool.take().toString())).isTrue();
    }
    assertThat(given).contains("10.0.0.2/29", "10.0.0.6/29");
    assertThat(pool.gateway()).hasToString("10.0.0.1");
    assertThatThrownBy(pool::take)
        .isInstanceOf(JrtException.class)
        .hasMessage("address range 10.0.0.0/29 has no free address");
    pool.release(IpAddress.parse("10.0.0.4"));
    assertThat(pool.take()).hasToString("10.0.0.4/29");
  }

  @Test
  void aReleasedAddressRests() {
    IpAddress first = pool.take().address();
    pool.release(first);
    assertThat(pool.take().address()).isNotEqualTo(first);
  }

  @Test
  void theNextDaemonGoesOnWhereTheLastStopped() {
    pool.restore(IpAddress.parse("10.0.0.5"));
    pool.continueAfter(IpAddress.parse("10.0.0.4"));
    assertThat(pool.take()).hasToString("10.0.0.6/29");
    assertThat(pool.take()).hasToString("10.0.0.2/29");
  }

  @Test
  void groupsAreReadFromTheLabel() {
    assertThat(GroupNames.of(Map.of("g", "red.blue,green"), "g"))
        .containsExactly("red", "blue", "green");
    assertThat(GroupNames.of(Map.of("g", " ., "), "g")).containsExactly("default");
    assertThat(GroupNames.of(Map.of(), "g")).containsExactly("default");
  }
}
