package io.jrt.image.layer;

import io.jrt.image.Digest;
import io.jrt.linux.Files;
import io.jrt.linux.Kernel;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.NullMarked;
import org.jspecify.annotations.Nullable;

/** The way of the fuzz targets to what this package keeps to itself. */
@NullMarked
public final class LayerDoor {
  private static final Files FILES = Kernel.open().files();
  private static final LayerLimits LIMITS = new LayerLimits(64 << 20, 10_000, 250);

  private LayerDoor() {}

  public static void tar(byte[] bytes) throws IOException {
    TarReader tar = new TarReader(new Whole(bytes));
    Optional<TarEntry> entry = tar.next();
    while (entry.isPresent()) {
      entry = tar.next();
    }
  }

  /** Unpacks it as a layer that is what its digests say. */
  public static void unpack(Path directory, byte[] bytes) {
    Digest digest = Digest.sha256(bytes);
    new LayerUnpacker(FILES, LIMITS)
        .unpack(
            new ByteArrayInputStream(bytes),
            digest,
            bytes.length,
            digest,
            directory,
            written -> {});
  }

  public static void gzip(byte[] bytes) throws IOException {
    try (GzipStream stream = new GzipStream(new ByteArrayInputStream(bytes))) {
      byte[] piece = new byte[8192];
      long left = 16 << 20;
      int read = stream.read(piece);
      while (read >= 0 && left > 0) {
        left -= read;
        read = stream.read(piece);
      }
    }
  }

  private static final class Whole extends TarReader.Source {
    private final ByteBuffer bytes;

    Whole(byte[] bytes) {
      this.bytes = ByteBuffer.wrap(bytes);
    }

    @Override
    @Nullable ByteBuffer piece(int most) {
      if (!bytes.hasRemaining()) {
        return null;
      }
      int length = Math.min(most, bytes.remaining());
      ByteBuffer piece = bytes.slice(bytes.position(), length);
      bytes.position(bytes.position() + length);
      return piece;
    }

    @Override
    public int read() {
      return bytes.hasRemaining() ? bytes.get() & 0xff : -1;
    }

    @Override
    public int read(byte[] into, int offset, int length) {
      if (length == 0) {
        return 0;
      }
      if (!bytes.hasRemaining()) {
        return -1;
      }
      int count = Math.min(length, bytes.remaining());
      bytes.get(into, offset, count);
      return count;
    }
  }
}
