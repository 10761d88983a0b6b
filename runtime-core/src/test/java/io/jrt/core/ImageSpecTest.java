package io.jrt.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrt.image.Reference;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ImageSpecTest {
  private static final String ID = "sha256:" + "0a".repeat(32);

  private static Optional<String> written(String text) {
    return new ImageSpec(ID, Map.of(), text, "", "").written().map(Reference::toString);
  }

  @Test
  void whatTheAuthorWroteIsToldInFull() {
    assertThat(written("busybox:1.36")).contains("docker.io/library/busybox:1.36");
    assertThat(written("quay.io/a/b")).contains("quay.io/a/b:latest");
    assertThat(written("quay.io/a/b@" + ID)).contains("quay.io/a/b@" + ID);
  }

  @Test
  void idsAndWhatIsNoNameAreNotTold() {
    assertThat(written("")).isEmpty();
    assertThat(written(ID)).isEmpty();
    assertThat(written("0a".repeat(32))).isEmpty();
    assertThat(written("No Name")).isEmpty();
  }
}
