package io.jrt.security;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrt.errors.JrtException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AccountsTest {

  @ParameterizedTest
  @ValueSource(
      strings = {
        "2147483648",
        "4294967295",
        "4294967296",
        "99999999999999999999",
        "18446744073709551616",
        "-1",
        "+1",
        " 1",
        "",
        "1e3",
        "0x0",
        "١",
      })
  void cve202440635_idsThatOverflowAreRefusedAndNeverBecomeRoot(String digits) {
    assertThatThrownBy(() -> Accounts.parseId("user id", digits)).isInstanceOf(JrtException.class);
  }

  @ParameterizedTest
  @CsvSource({"0,0", "1000,1000", "2147483647,2147483647", "00000000000000001000,1000"})
  void idsInRangeAreTaken(String digits, long id) {
    assertThat(Accounts.parseId("user id", digits)).isEqualTo(id);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/x\nroot2::0:0::/:/bin/sh",
        "/x\\nroot2::0:0::/:/bin/sh",
        "/x\rroot2",
        "/x:/bin/sh",
        "/x\u0085y",
        "/x\u2028y",
        "/x\0y",
        "relative",
        "",
      })
  void cve20224318_homeThatCouldMakeAPasswdLineIsRefused(String home) {
    assertThatThrownBy(() -> Accounts.checkHome(home)).isInstanceOf(JrtException.class);
  }

  @ParameterizedTest
  @ValueSource(strings = {"/", "/root", "/home/jürgen", "/home/a b"})
  void ordinaryHomesAreTaken(String home) {
    assertThatCode(() -> Accounts.checkHome(home)).doesNotThrowAnyException();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "a:b", "root\nx", "a\\nb"})
  void userNamesThatCouldMakeAPasswdLineAreRefused(String name) {
    assertThatThrownBy(() -> Accounts.checkName("user", name)).isInstanceOf(JrtException.class);
  }
}
