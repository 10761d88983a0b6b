package io.jrt.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrt.errors.JrtException;
import java.math.BigInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class IpAddressTest {

  @ParameterizedTest
  @CsvSource({
    "10.0.0.1, 10.0.0.1",
    "::, ::",
    "::1, ::1",
    "fd00:0:0:0:0:0:0:2, fd00::2",
    "2001:DB8:0:0:1:0:0:1, 2001:db8::1:0:0:1",
    "2001:db8:0:1:1:1:1:1, 2001:db8:0:1:1:1:1:1",
    "1:0:0:0:0:0:0:0, 1::",
    "::ffff:1.2.3.4, 1.2.3.4"
  })
  void textIsCanonical(String text, String canonical) {
    assertThat(IpAddress.parse(text)).hasToString(canonical);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "localhost",
        "1",
        "1.2.3",
        "1.2.3.4.5",
        "256.1.1.1",
        "010.0.0.1",
        "0x7f.0.0.1",
        "fe80::1%lo",
        "::g",
        "1::2::3",
        "abc",
        "dead.beef",
        " 1.2.3.4"
      })
  void whatIsNoLiteralIsRefused(String text) {
    assertThatThrownBy(() -> IpAddress.parse(text)).isInstanceOf(JrtException.class);
  }

  @Test
  void rangesKnowTheirAddresses() {
    Cidr range = Cidr.parse("10.88.3.7/16");
    assertThat(range.network()).hasToString("10.88.0.0/16");
    assertThat(range.at(BigInteger.valueOf(258))).hasToString("10.88.1.2");
    assertThat(range.offsetOf(IpAddress.parse("10.88.1.2"))).isEqualTo(258);
    assertThat(range.contains(IpAddress.parse("10.89.0.0"))).isFalse();
    assertThat(range.contains(IpAddress.parse("::1"))).isFalse();
    assertThat(Cidr.parse("fd00::/8").at(BigInteger.ONE)).hasToString("fd00::1");
    assertThatThrownBy(() -> Cidr.parse("10.0.0.0/33")).isInstanceOf(JrtException.class);
    assertThatThrownBy(() -> Cidr.parse("10.0.0.0")).isInstanceOf(JrtException.class);
  }
}
