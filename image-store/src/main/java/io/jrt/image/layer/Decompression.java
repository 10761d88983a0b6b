package io.jrt.image.layer;

import com.github.luben.zstd.ZstdInputStream;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.io.IOException;
import java.io.InputStream;
import java.io.PushbackInputStream;
import java.util.HexFormat;

/**
 * Undoes the compression of a layer or an archive. What it is is found from its first bytes, since
 * media types are often wrong about it.
 */
public final class Decompression {
  /** 64 MiB, as containerd's decoder allows: a frame may ask for so much memory. */
  private static final int MAX_ZSTD_WINDOW_LOG = 26;

  private static final int MAGIC = 10;

  private Decompression() {}

  private enum Kind {
    GZIP,
    ZSTD,
    PLAIN,
    XZ,
    BZIP2,
    LZ4
  }

  /** Whether a stream begins like something compressed; reads its first bytes. */
  public static boolean isCompressed(InputStream in) throws IOException {
    return kind(in.readNBytes(MAGIC)) != Kind.PLAIN;
  }

  /**
   * The uncompressed bytes; closing it closes the source.
   *
   * @throws JrtException INVALID, with its name, for a compression that is known by its first bytes
   *     and not undone
   */
  public static InputStream of(InputStream compressed) throws IOException {
    byte[] magic = compressed.readNBytes(MAGIC);
    var whole = new PushbackInputStream(compressed, MAGIC);
    whole.unread(magic);
    return switch (kind(magic)) {
      case GZIP -> new GzipStream(whole);
      case ZSTD -> {
        ZstdInputStream zstd = new ZstdInputStream(whole);
        zstd.setLongMax(MAX_ZSTD_WINDOW_LOG);
        yield zstd;
      }
      case PLAIN -> whole;
      case XZ -> throw refused("xz");
      case BZIP2 -> throw refused("bzip2");
      case LZ4 -> throw refused("lz4");
    };
  }

  private static JrtException refused(String compression) {
    return new JrtException(
        ErrorKind.INVALID,
        "read image",
        "it is compressed with " + compression + "; gzip and zstd are understood, and plain tars");
  }

  private static Kind kind(byte[] magic) {
    if (magic.length < 4) {
      return Kind.PLAIN;
    }
    String hex = HexFormat.of().formatHex(magic);
    return switch (hex.substring(0, 8)) {
      case "28b52ffd" -> Kind.ZSTD;
      case "04224d18" -> Kind.LZ4;
      case String begin when begin.startsWith("1f8b") -> Kind.GZIP;
      // Skippable frames carry the table of contents of seekable layers.
      case String begin when begin.matches("5.2a4d18") -> Kind.ZSTD;
      case String _ when hex.startsWith("fd377a585a00") -> Kind.XZ;
      // The name of a tar's first file may begin with letters, but does not go on with pi.
      case String _ when hex.matches("425a683[1-9](314159265359|177245385090)") -> Kind.BZIP2;
      default -> Kind.PLAIN;
    };
  }
}
