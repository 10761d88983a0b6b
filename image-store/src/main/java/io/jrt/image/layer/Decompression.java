package io.jrt.image.layer;

import com.github.luben.zstd.ZstdInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PushbackInputStream;

/**
 * Undoes the compression of a layer or an archive. What it is is found from its first bytes, since
 * media types are often wrong about it.
 */
public final class Decompression {
  /** 64 MiB, as containerd's decoder allows: a frame may ask for so much memory. */
  private static final int MAX_ZSTD_WINDOW_LOG = 26;

  private Decompression() {}

  /** The uncompressed bytes; closing it closes the source. */
  public static InputStream of(InputStream compressed) throws IOException {
    byte[] magic = new byte[4];
    int have = compressed.readNBytes(magic, 0, 4);
    var whole = new PushbackInputStream(compressed, 4);
    whole.unread(magic, 0, have);
    int first = have < 4 ? 0 : (magic[0] & 0xff) << 24 | (magic[1] & 0xff) << 16;
    int all = first | (magic[2] & 0xff) << 8 | (magic[3] & 0xff);
    if (first == 0x1f8b0000) {
      return new GzipStream(whole);
    }
    if (all == 0x28b52ffd || ((all & 0xf0ffffff) == 0x502a4d18)) {
      ZstdInputStream zstd = new ZstdInputStream(whole);
      zstd.setLongMax(MAX_ZSTD_WINDOW_LOG);
      return zstd;
    }
    return whole;
  }
}
