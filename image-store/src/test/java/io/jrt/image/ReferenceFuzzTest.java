package io.jrt.image;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Whatever a name looks like, it is refused as invalid or means one thing. */
final class ReferenceFuzzTest {
  private static final List<String> GOOD =
      List.of(
          "busybox",
          "busybox:1.36",
          "library/busybox",
          "docker.io/library/busybox:latest",
          "index.docker.io/x/y",
          "localhost/a",
          "localhost:5000/a/b:c",
          "registry.k8s.io/pause:3.10",
          "[::1]:5000/a",
          "127.0.0.1:5000/a__b/c-d.e:V_1.2-x",
          "a/b@sha256:" + "0123456789abcdef".repeat(4),
          "r.io:443/a/b:t@sha512:" + "0123456789abcdef".repeat(8));

  @Test
  void aNameIsInvalidOrItsLongFormMeansTheSame() {
    Mutations mutations = Mutations.seeded();
    int accepted = 0;
    for (int round = 0; round < Mutations.rounds(20_000); round++) {
      String good = GOOD.get(mutations.random().nextInt(GOOD.size()));
      String text = round < GOOD.size() ? GOOD.get(round) : mutations.of(good);
      Reference reference;
      try {
        reference = Reference.parse(text);
      } catch (JrtException e) {
        assertThat(e.kind()).as(text).isEqualTo(ErrorKind.INVALID);
        continue;
      }
      accepted++;
      assertThat(Reference.parse(reference.toString())).as(text).isEqualTo(reference);
      assertThat(reference.registry()).as(text).matches("[A-Za-z0-9.:\\[\\]-]+");
      assertThat(reference.repository()).as(text).matches("[a-z0-9]+([a-z0-9._/-]*[a-z0-9])?");
      assertThat(reference.repository()).as(text).doesNotContain("..").doesNotContain("//");
      assertThat(reference.toString()).as(text).doesNotContainPattern("[\\s\\p{Cntrl}]");
    }
    assertThat(accepted).isPositive();
  }
}
