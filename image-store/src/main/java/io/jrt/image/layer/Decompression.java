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

  private enum Kind {
    GZIP,
    ZSTD,
    PLAIN
  }

  /** Whether a stream begins like something compressed; reads its first bytes. */
  public static boolean isCompressed(InputStream in) throws IOException {
    byte[] magic = new byte[4];
    return kind(magic, in.readNBytes(magic, 0, 4)) != Kind.PLAIN;
  }

  /** The uncompressed bytes; closing it closes the source. */
  public static InputStream of(InputStream compressed) throws IOException {
    byte[] magic = new byte[4];
    int have = compressed.readNBytes(magic, 0, 4);
    var whole = new PushbackInputStream(compressed, 4);
    whole.unread(magic, 0, have);
    return switch (kind(magic, have)) {
      case GZIP -> new GzipStream(whole);
      case ZSTD -> {
        ZstdInputStream zstd = new ZstdInputStream(whole);
        zstd.setLongMax(MAX_ZSTD_WINDOW_LOG);
        yield zstd;
      }
      case PLAIN -> whole;
    };
  }

  private static Kind kind(byte[] magic, int have) {
    if (have < 4) {
      return Kind.PLAIN;
    }
    int first = (magic[0] & 0xff) << 24 | (magic[1] & 0xff) << 16;
    int all = first | (magic[2] & 0xff) << 8 | (magic[3] & 0xff);
    if (first == 0x1f8b0000) {
      return Kind.GZIP;
    }
    // Skippable frames carry the table of contents of seekable layers.
    return all == 0x28b52ffd || ((all & 0xf0ffffff) == 0x502a4d18) ? Kind.ZSTD : Kind.PLAIN;
  }
}
