package io.jrt.fuzz;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/** Changes bytes in the ways in which parsers are wont to break. */
final class Mutator {
  private static final int MAX_BYTES = 64 << 10;
  private static final byte[] EDGES = {
    0, 1, 0x7f, -128, -1, ' ', '\n', '"', '{', '[', ':', '/', '%'
  };
  private static final List<byte[]> WORDS =
      List.of(
              "null",
              "true",
              "-1",
              "1e999",
              "9223372036854775808",
              "4294967296",
              "\"\"",
              "{}",
              "[]",
              "\\u0000",
              "\ud83d",
              "../",
              "/",
              "\r\n",
              "sha256:",
              "${",
              "&a [*a, *a]",
              "? ",
              "\0",
              "99999999999",
              "0x",
              "NaN",
              "[[",
              "{\"a\":",
              "!!java")
          .stream()
          .map(word -> word.getBytes(StandardCharsets.UTF_8))
          .toList();

  private final RandomGenerator random;
  private final List<byte[]> corpus;

  Mutator(RandomGenerator random, List<byte[]> seeds) {
    this.random = random;
    this.corpus = new ArrayList<>(seeds);
  }

  byte[] next() {
    byte[] bytes = corpus.get(random.nextInt(corpus.size()));
    int changes = 1 + random.nextInt(6);
    for (int i = 0; i < changes; i++) {
      bytes = changed(bytes);
    }
    return bytes;
  }

  private byte[] changed(byte[] bytes) {
    if (bytes.length == 0) {
      return word();
    }
    int at = random.nextInt(bytes.length);
    int length = Math.min(bytes.length - at, 1 + random.nextInt(16));
    return switch (random.nextInt(9)) {
      case 0 -> set(bytes, at, (byte) (bytes[at] ^ (1 << random.nextInt(8))));
      case 1 -> set(bytes, at, EDGES[random.nextInt(EDGES.length)]);
      case 2 -> set(bytes, at, (byte) random.nextInt(256));
      case 3 -> spliced(bytes, at, length, new byte[0]);
      case 4 -> spliced(bytes, at, 0, word());
      case 5 -> spliced(bytes, at, length, word());
      case 6 -> {
        byte[] piece = java.util.Arrays.copyOfRange(bytes, at, at + length);
        yield spliced(bytes, random.nextInt(bytes.length), 0, piece);
      }
      case 7 -> java.util.Arrays.copyOf(bytes, at);
      default -> {
        byte[] piece = java.util.Arrays.copyOfRange(bytes, at, at + length);
        byte[] many = bytes;
        for (int i = 0; i < 1 << random.nextInt(10) && many.length < MAX_BYTES; i++) {
          many = spliced(many, at, 0, piece);
        }
        yield many;
      }
    };
  }

  private byte[] word() {
    return WORDS.get(random.nextInt(WORDS.size()));
  }

  private static byte[] set(byte[] bytes, int at, byte value) {
    byte[] copy = bytes.clone();
    copy[at] = value;
    return copy;
  }

  private static byte[] spliced(byte[] bytes, int at, int removed, byte[] added) {
    byte[] result = new byte[bytes.length - removed + added.length];
    System.arraycopy(bytes, 0, result, 0, at);
    System.arraycopy(added, 0, result, at, added.length);
    System.arraycopy(bytes, at + removed, result, at + added.length, bytes.length - at - removed);
    return result;
  }
}
