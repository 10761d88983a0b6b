package io.jrt.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class MountInfoTest {
  @Test
  void linesAreReadWithTagsAndEscapes() {
    List<MountEntry> entries =
        MountInfo.parse(
            """
            36 35 98:0 /mnt1 /mnt\\040two rw,noatime shared:7 master:1 - ext3 /dev/root rw,errors=continue
            37 36 0:5 / /proc rw unbindable - proc proc rw
            """);
    MountEntry first = entries.getFirst();
    assertThat(first.target()).isEqualTo("/mnt two");
    assertThat(first.root()).isEqualTo("/mnt1");
    assertThat(first.major()).isEqualTo(98);
    assertThat(first.peerGroup()).hasValue(7);
    assertThat(first.masterGroup()).hasValue(1);
    assertThat(first.superOption("errors")).contains("continue");
    assertThat(entries.get(1).unbindable()).isTrue();
    assertThat(entries.get(1).isShared()).isFalse();
  }
}
