package io.jrt.image.archive;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.image.layer.Decompression;
import io.jrt.image.layer.TarContents;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.Optional;

/** An archive that is a tar: its files are read where they lie. A compressed one is unwrapped. */
final class TarFiles implements ArchiveFiles {
  private final FileChannel channel;
  private final Map<String, TarContents.Place> places;

  private TarFiles(FileChannel channel, Map<String, TarContents.Place> places) {
    this.channel = channel;
    this.places = places;
  }

  static TarFiles open(Path source, Path temp, long maxBytes) throws IOException {
    Path plain = source;
    boolean compressed;
    try (InputStream raw = java.nio.file.Files.newInputStream(source);
        InputStream in = new BufferedInputStream(raw)) {
      compressed = Decompression.isCompressed(in);
    }
    if (compressed) {
      plain = temp.resolve("archive.tar");
      unwrap(source, plain, maxBytes);
    }
    FileChannel channel = FileChannel.open(plain, StandardOpenOption.READ);
    try (InputStream raw = java.nio.file.Files.newInputStream(plain);
        InputStream in = new BufferedInputStream(raw, 64 << 10)) {
      return new TarFiles(channel, TarContents.of(in));
    } catch (Throwable e) {
      channel.close();
      throw e;
    }
  }

  private static InputStream decompressed(Path source, InputStream raw) throws IOException {
    try {
      return Decompression.of(raw);
    } catch (JrtException e) {
      throw new JrtException(e.kind(), "import image", source + ": " + e.getMessage(), e);
    }
  }

  private static void unwrap(Path source, Path plain, long maxBytes) throws IOException {
    try (InputStream raw = java.nio.file.Files.newInputStream(source);
        InputStream in = decompressed(source, raw);
        var out = java.nio.file.Files.newOutputStream(plain)) {
      byte[] buffer = new byte[256 << 10];
      long total = 0;
      int count;
      while ((count = in.read(buffer, 0, buffer.length)) >= 0) {
        total += count;
        if (total > maxBytes) {
          throw new JrtException(
              ErrorKind.INVALID,
              "import image",
              source + " grows above the limit of " + maxBytes + " bytes");
        }
        out.write(buffer, 0, count);
      }
    }
  }

  @Override
  public Optional<InputStream> open(String name) {
    return Optional.ofNullable(places.get(name)).map(Part::new);
  }

  @Override
  public Optional<Long> size(String name) {
    return Optional.ofNullable(places.get(name)).map(TarContents.Place::size);
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      throw new JrtException(ErrorKind.INTERNAL, "import image", "the archive cannot be closed", e);
    }
  }

  private final class Part extends InputStream {
    private final long end;
    private long position;

    Part(TarContents.Place place) {
      this.position = place.offset();
      this.end = place.offset() + place.size();
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
      if (position >= end) {
        return -1;
      }
      int wanted = (int) Math.min(length, end - position);
      int count = channel.read(ByteBuffer.wrap(buffer, offset, wanted), position);
      if (count > 0) {
        position += count;
      }
      return count;
    }
  }
}
