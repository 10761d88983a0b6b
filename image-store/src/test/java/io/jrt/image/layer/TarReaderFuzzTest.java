package io.jrt.image.layer;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.image.Mutations;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Tars of hostile builders: read, or refused; never more than they hold. */
final class TarReaderFuzzTest {
  @Test
  void headersAndRecords() throws Exception {
    Mutations mutations = Mutations.seeded();
    List<byte[]> good = HostileTars.seeds();
    for (int round = 0; round < Mutations.rounds(20_000); round++) {
      byte[] tar = good.get(mutations.random().nextInt(good.size()));
      byte[] bad = round < good.size() ? good.get(round) : HostileTars.mended(mutations.of(tar));
      try {
        for (Map.Entry<String, TarContents.Place> file :
            TarContents.of(new ByteArrayInputStream(bad)).entrySet()) {
          assertThat(file.getValue().offset() + file.getValue().size())
              .as(file.getKey())
              .isBetween(0L, (long) bad.length + 512);
          assertThat(file.getKey()).doesNotContain("\0").doesNotStartWith("/");
        }
      } catch (JrtException e) {
        assertThat(e.kind()).isEqualTo(ErrorKind.INVALID);
      } catch (IOException e) {
        assertThat(e).isInstanceOf(java.io.EOFException.class);
      }
    }
  }
}
