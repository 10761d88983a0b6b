package io.jrt.security;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrt.errors.JrtException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class UserNamespaceMapsTest {
  private static final List<IdMap> PLAIN = List.of(new IdMap(0, 100000, 65536));

  private static void refused(List<IdMap> maps, String message) {
    assertThatThrownBy(() -> new UserNamespaceMaps(maps, PLAIN))
        .isInstanceOf(JrtException.class)
        .hasMessageContaining(message);
    assertThatThrownBy(() -> new UserNamespaceMaps(PLAIN, maps))
        .isInstanceOf(JrtException.class)
        .hasMessageContaining(message);
  }

  @Test
  void mapsTranslateAndPrint() {
    UserNamespaceMaps maps =
        new UserNamespaceMaps(List.of(new IdMap(0, 100000, 10), new IdMap(10, 300000, 5)), PLAIN);

    assertThat(maps.uidMap()).isEqualTo("0 100000 10\n10 300000 5\n");
    assertThat(maps.hostUid(0)).isEqualTo(100000);
    assertThat(maps.hostUid(12)).isEqualTo(300002);
    assertThat(maps.hostUid(15)).isEqualTo(-1);
    assertThat(maps.hostGid(65535)).isEqualTo(165535);
  }

  @Test
  void wrongMapsAreRefused() {
    refused(List.of(), "is empty");
    refused(List.of(new IdMap(0, 100000, 0)), "has no length");
    refused(List.of(new IdMap(1, 100000, 10)), "does not map the container's id 0");
    refused(List.of(new IdMap(0, 4294967290L, 10)), "leaves the range of host ids");
    refused(List.of(new IdMap(0, -1, 10)), "leaves the range of host ids");
    refused(List.of(new IdMap(0, 0, Long.MAX_VALUE)), "leaves the range");
    refused(
        List.of(new IdMap(0, 100000, 10), new IdMap(5, 200000, 10)), "overlap in container ids");
    refused(List.of(new IdMap(0, 100000, 10), new IdMap(20, 100005, 10)), "overlap in host ids");
    List<IdMap> many = new ArrayList<>();
    for (int i = 0; i < 341; i++) {
      many.add(new IdMap(i, 100000 + i, 1));
    }
    refused(many, "341 lines");
  }
}
