package io.jrt.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class Sha256Test {
  @Test
  void piecesOfAnySizeAndKindGiveTheHashOfTheWhole() {
    Random random = new Random(5);
    MessageDigest fast = Sha256.fastest();
    for (int round = 0; round < 30; round++) {
      byte[] bytes = new byte[random.nextInt(300_000)];
      random.nextBytes(bytes);
      ByteBuffer direct = ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
      int done = 0;
      while (done < bytes.length) {
        int count = Math.min(bytes.length - done, 1 + random.nextInt(100_000));
        switch (random.nextInt(4)) {
          case 0 -> {
            fast.update(bytes[done]);
            count = 1;
          }
          case 1 -> fast.update(bytes, done, count);
          case 2 -> fast.update(ByteBuffer.wrap(bytes, done, count));
          default -> fast.update(direct.slice(done, count));
        }
        done += count;
      }
      assertThat(fast.digest()).isEqualTo(Sha256.portable().digest(bytes));
    }
  }

  @Test
  void aResetForgetsWhatCameBefore() {
    MessageDigest fast = Sha256.fastest();
    fast.update(new byte[100_000]);
    fast.reset();
    assertThat(fast.digest()).isEqualTo(Sha256.portable().digest());
  }
}
