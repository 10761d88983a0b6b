package io.jrt.image.layer;

import java.util.List;

/** Tars to be damaged. */
final class HostileTars {
  private static final int BLOCK = 512;

  private HostileTars() {}

  static List<byte[]> seeds() throws Exception {
    return List.of(
        new Tars().dir("etc", 0755).file("etc/passwd", "root:x:0:0").bytes(),
        new Tars().file("a", "1").symlink("l", "/etc").hardLink("h", "a").bytes(),
        new Tars().dir("d", 0755).file("d/.wh.x", "").file("d/.wh..wh..opq", "").bytes(),
        new Tars().file("d/" + "long/".repeat(40) + "name", "x").bytes(),
        new Tars().symlink("d", "../..").file("d/f", "x").bytes());
  }

  /** The same with right checksums where headers seem to be, so that damage gets further in. */
  static byte[] mended(byte[] tar) {
    byte[] mended = tar.clone();
    for (int at = 0; at + BLOCK <= mended.length; at += BLOCK) {
      if (mended[at + 257] == 'u' && mended[at + 258] == 's') {
        int sum = 0;
        for (int i = 0; i < BLOCK; i++) {
          sum += i >= 148 && i < 156 ? ' ' : mended[at + i] & 0xff;
        }
        byte[] octal =
            "%06o\0 ".formatted(sum).getBytes(java.nio.charset.StandardCharsets.US_ASCII);
        System.arraycopy(octal, 0, mended, at + 148, 8);
      }
    }
    return mended;
  }
}
