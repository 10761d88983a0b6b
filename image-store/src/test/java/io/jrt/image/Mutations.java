package io.jrt.image;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;

/**
 * Damages good input in the ways that break parsers. What it does is decided by the seed alone:
 * {@code -Djrt.seed} repeats a run, {@code -Djrt.fuzz.rounds} makes it longer.
 */
public final class Mutations {
  private static final List<String> TOKENS =
      List.of(
          "",
          "\0",
          "..",
          "../",
          "/",
          "//",
          ":",
          "@",
          "@sha256:",
          "sha512:",
          "[",
          "]",
          "{",
          "}",
          "{}",
          "[]",
          "[[",
          "\"",
          "\"\"",
          "'",
          ",",
          "=",
          "null",
          "true",
          "-1",
          "1e999",
          "9223372036854775807",
          "-9223372036854775808",
          "18446744073709551616",
          "0x",
          "NaN",
          "&a *a",
          "<<: *a",
          "!!java",
          "%00",
          "%",
          "$1",
          "${9}",
          "(",
          "(a+)+$",
          "\\",
          "\n",
          "\r\n",
          "\t",
          "\u0085",
          "\ufeff",
          "\u202e",
          "ä",
          "https://",
          "http://[::1",
          "localhost",
          ".wh.",
          ".wh..wh..opq",
          "A".repeat(300),
          "7".repeat(12));

  private final long seed;
  private final Random random;

  private Mutations(long seed) {
    this.seed = seed;
    this.random = new Random(seed);
  }

  /** By the seed of the run. */
  public static Mutations seeded() {
    return new Mutations(Long.getLong("jrt.seed", 20261121L));
  }

  /** How many inputs to try, of so many by default. */
  public static int rounds(int usual) {
    return Integer.getInteger("jrt.fuzz.rounds", usual);
  }

  public Random random() {
    return random;
  }

  public long seed() {
    return seed;
  }

  public String of(String good) {
    return new String(of(good.getBytes(StandardCharsets.UTF_8)), StandardCharsets.UTF_8);
  }

  /** A damaged copy. */
  public byte[] of(byte[] good) {
    byte[] bytes = good;
    for (int i = random.nextInt(4); i >= 0; i--) {
      bytes = once(bytes);
    }
    return bytes;
  }

  private byte[] once(byte[] bytes) {
    int length = bytes.length;
    int at = random.nextInt(length + 1);
    int end = Math.min(length, at + 1 + random.nextInt(1 + Math.min(64, length)));
    return switch (random.nextInt(7)) {
      case 0 -> flipped(bytes);
      case 1 -> joined(bytes, 0, at, new byte[0], end);
      case 2 -> joined(bytes, 0, at, part(bytes, at, end), at);
      case 3 -> joined(bytes, 0, at, token(), at);
      case 4 -> joined(bytes, 0, at, token(), end);
      case 5 -> part(bytes, 0, at);
      default -> {
        byte[] noise = new byte[random.nextInt(8)];
        random.nextBytes(noise);
        yield joined(bytes, 0, at, noise, end);
      }
    };
  }

  private byte[] flipped(byte[] bytes) {
    byte[] copy = bytes.clone();
    if (copy.length > 0) {
      copy[random.nextInt(copy.length)] ^= (byte) (1 << random.nextInt(8));
    }
    return copy;
  }

  private byte[] token() {
    return TOKENS.get(random.nextInt(TOKENS.size())).getBytes(StandardCharsets.UTF_8);
  }

  private static byte[] part(byte[] bytes, int from, int to) {
    return java.util.Arrays.copyOfRange(bytes, from, to);
  }

  private static byte[] joined(byte[] bytes, int from, int to, byte[] middle, int rest) {
    var out = new ByteArrayOutputStream();
    out.write(bytes, from, to - from);
    out.writeBytes(middle);
    out.write(bytes, rest, bytes.length - rest);
    return out.toByteArray();
  }
}
