package io.jrt.image.layer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.jrt.linux.Inflation;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Random;
import java.util.function.Supplier;
import java.util.zip.Deflater;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

final class GzipStreamTest {
  static List<Supplier<Inflation>> libraries() {
    return List.of(Inflation::open, Inflation::portable);
  }

  private static byte[] text(Random random, int size) {
    byte[] bytes = new byte[size];
    for (int i = 0; i < size; i++) {
      boolean again = i > 100 && random.nextInt(4) > 0;
      bytes[i] = again ? bytes[i - 1 - random.nextInt(100)] : (byte) random.nextInt();
    }
    return bytes;
  }

  private static byte[] gzip(byte[] bytes, int level) throws IOException {
    var out = new ByteArrayOutputStream();
    try (var gzip =
        new GZIPOutputStream(out) {
          {
            def.setLevel(level);
          }
        }) {
      gzip.write(bytes);
    }
    return out.toByteArray();
  }

  /** Gives few bytes at a time, at odd places. */
  private static InputStream dripping(byte[] bytes, Random random, int most) {
    return new ByteArrayInputStream(bytes) {
      @Override
      public synchronized int read(byte[] buffer, int offset, int length) {
        return super.read(buffer, offset, Math.min(length, 1 + random.nextInt(most)));
      }
    };
  }

  @ParameterizedTest
  @MethodSource("libraries")
  void membersOfAnySizeInPiecesOfAnySize(Supplier<Inflation> library) throws IOException {
    for (int seed = 0; seed < 60; seed++) {
      var random = new Random(seed);
      var plain = new ByteArrayOutputStream();
      var packed = new ByteArrayOutputStream();
      for (int member = random.nextInt(5); member >= 0; member--) {
        byte[] bytes = text(random, random.nextInt(seed % 6 == 0 ? 400_000 : 300));
        plain.write(bytes);
        packed.write(gzip(bytes, random.nextInt(Deflater.BEST_COMPRESSION + 1)));
      }
      var source = dripping(packed.toByteArray(), random, 1 << random.nextInt(16));
      try (var stream = new GzipStream(source, library.get())) {
        byte[] got = seed % 2 == 0 ? stream.readAllBytes() : readDirectly(stream, random);
        assertArrayEquals(plain.toByteArray(), got, "seed " + seed);
      }
    }
  }

  private static byte[] readDirectly(GzipStream stream, Random random) throws IOException {
    var all = new ByteArrayOutputStream();
    ByteBuffer direct = ByteBuffer.allocateDirect(1 + random.nextInt(300_000));
    while (stream.read(direct) >= 0) {
      if (!direct.hasRemaining() || random.nextInt(3) == 0) {
        byte[] got = new byte[direct.flip().remaining()];
        direct.get(got);
        all.writeBytes(got);
        direct.clear();
      }
    }
    byte[] rest = new byte[direct.flip().remaining()];
    direct.get(rest);
    all.writeBytes(rest);
    return all.toByteArray();
  }

  @ParameterizedTest
  @MethodSource("libraries")
  void damageIsNeverTakenForContent(Supplier<Inflation> library) throws IOException {
    var random = new Random(5);
    byte[] plain = text(random, 30_000);
    byte[] good = gzip(plain, 6);
    int told = 0;
    int rounds = 400;
    for (int round = 0; round < rounds; round++) {
      byte[] bad = good.clone();
      // Behind the header, whose time and names nobody reads.
      bad[10 + random.nextInt(bad.length - 10)] ^= (byte) (1 << random.nextInt(8));
      try (var stream = new GzipStream(new ByteArrayInputStream(bad), library.get())) {
        assertArrayEquals(plain, stream.readAllBytes(), "round " + round);
      } catch (IOException e) {
        told++;
      }
    }
    assertEquals(rounds, told);
  }

  @ParameterizedTest
  @MethodSource("libraries")
  void anEndTooEarlyIsToldAtEveryByte(Supplier<Inflation> library) throws IOException {
    byte[] good = gzip(text(new Random(9), 2000), 9);
    for (int end = 0; end < good.length; end += end < 40 || end > good.length - 40 ? 1 : 31) {
      int length = end;
      assertThrows(
          IOException.class,
          () -> {
            try (var stream =
                new GzipStream(new ByteArrayInputStream(good, 0, length), library.get())) {
              stream.readAllBytes();
            }
          },
          "cut at " + end);
    }
  }
}
