package io.jrt.volumes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrt.errors.JrtException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DestinationsTest {

  private static List<String> ordered(List<String> destinations) {
    return Destinations.ordered(
            destinations.stream()
                .map(d -> MountRequest.of(new MountSource.Tmpfs(0, 0755), d))
                .toList())
        .stream()
        .map(MountRequest::destination)
        .toList();
  }

  @ParameterizedTest
  @CsvSource({
    "/a/b, /a/b",
    "//a//b/, /a/b",
    "/a/./b, /a/b",
    "/a/../b, /b",
    "/../../etc, /etc",
    "/a/b/../../../c, /c",
  })
  void pathsAreCleaned(String given, String clean) {
    assertThat(Destinations.clean(given)).isEqualTo(clean);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "a", "a/b", "/", "/..", "/a/..", "/a\0b"})
  void rootAndRelativePathsAreRefused(String given) {
    assertThatThrownBy(() -> Destinations.clean(given)).isInstanceOf(JrtException.class);
  }

  @Test
  void parentsComeFirstWhateverTheOrder() {
    List<String> all = new ArrayList<>();
    for (String top : List.of("/a", "/b", "/var")) {
      all.add(top);
      all.add(top + "/x");
      all.add(top + "/x/y");
      all.add(top + "/x/y/z");
    }
    Random random = new Random(1);
    for (int round = 0; round < 50; round++) {
      Collections.shuffle(all, random);
      List<String> ordered = ordered(all);
      for (String destination : ordered) {
        int at = ordered.indexOf(destination);
        assertThat(ordered.subList(0, at))
            .noneMatch(earlier -> earlier.startsWith(destination + "/"));
      }
    }
  }

  @Test
  void equalDestinationsStayAsGiven() {
    MountRequest first = MountRequest.of(new MountSource.Named("first"), "/same/");
    MountRequest second = MountRequest.of(new MountSource.Named("second"), "/same");

    assertThat(Destinations.ordered(List.of(first, second)))
        .extracting(MountRequest::source)
        .containsExactly(new MountSource.Named("first"), new MountSource.Named("second"));
  }
}
