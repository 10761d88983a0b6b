package io.jrt.security;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrt.linux.Kernel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SeccompLogIT {
  private static final String LINE =
      "5,811,3745582400,-;audit: type=1326 audit(1700000000.123:42): auid=4294967295 uid=0 gid=0"
          + " ses=4294967295 subj=unconfined pid=%d comm=%s exe=\"/bin/busybox\" sig=0 arch=%s"
          + " syscall=%d compat=0 ip=0x7f12 code=0x50000";

  private final SeccompLog log = new SeccompLog(Kernel.open());

  @Test
  void deniedCallIsNamed() {
    assertThat(log.parse(LINE.formatted(1234, "\"unshare\"", "c000003e", 272)))
        .contains(new SeccompDenial(1234, "unshare", "/bin/busybox", "unshare", 0x50000));
  }

  @ParameterizedTest
  @CsvSource({
    "c000003e, 425, io_uring_setup",
    "c000003e, 467, open_tree_attr",
    "c000003e, 9999, 9999",
    "40000003, 21, mount",
    "c00000b7, 40, mount",
    "deadbeef, 1, 1",
  })
  void callsOfEachArchitectureAreNamed(String architecture, int number, String name) {
    assertThat(log.parse(LINE.formatted(1, "x", architecture, number)).orElseThrow().systemCall())
        .isEqualTo(name);
  }

  @Test
  void otherLinesAreNot() {
    assertThat(log.parse("6,1,1,-;EXT4-fs (sda1): mounted")).isEmpty();
    assertThat(log.parse("5,8,3,-;audit: type=1400 audit(1.2:3): apparmor=\"DENIED\"")).isEmpty();
    assertThat(log.parse("")).isEmpty();
  }
}
