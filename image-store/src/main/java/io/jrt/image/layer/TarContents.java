package io.jrt.image.layer;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Where the files of a plain tar lie, without unpacking it. */
public final class TarContents {
  private static final int MAX_ENTRIES = 100_000;
  private static final int MAX_LINKS = 16;

  /** A file's content inside the tar. */
  public record Place(long offset, long size) {}

  private TarContents() {}

  /**
   * The files of a tar by name; links between them are resolved.
   *
   * @throws JrtException INVALID when it is no tar
   */
  public static Map<String, Place> of(InputStream tar) throws IOException {
    var counted = new Counted(tar);
    var reader = new TarReader(counted);
    var places = new HashMap<String, Place>();
    var links = new HashMap<String, String>();
    int entries = 0;
    for (Optional<TarEntry> next = reader.next(); next.isPresent(); next = reader.next()) {
      if (++entries > MAX_ENTRIES) {
        throw new JrtException(
            ErrorKind.INVALID,
            "import image",
            "the archive has more than " + MAX_ENTRIES + " files");
      }
      TarEntry entry = next.get();
      String name = LayerPath.clean(entry.name());
      switch (entry.type()) {
        case FILE -> places.put(name, new Place(counted.position, entry.size()));
        case SYMLINK -> links.put(name, resolved(LayerPath.parent(name), entry.linkName()));
        case HARD_LINK -> links.put(name, LayerPath.clean(entry.linkName()));
        case DIRECTORY, CHAR_DEVICE, BLOCK_DEVICE, FIFO -> {}
      }
    }
    for (String name : links.keySet()) {
      String target = name;
      for (int i = 0; i < MAX_LINKS && links.containsKey(target); i++) {
        target = links.getOrDefault(target, "");
      }
      Place place = places.get(target);
      if (place != null) {
        places.putIfAbsent(name, place);
      }
    }
    return Map.copyOf(places);
  }

  /** Older docker archives link equal layers as {@code ../<id>/layer.tar}. */
  private static String resolved(String parent, String target) {
    String path = target.startsWith("/") ? "" : parent;
    for (String part : target.split("/")) {
      switch (part) {
        case "", "." -> {}
        case ".." -> path = LayerPath.parent(path);
        default -> path = LayerPath.child(path, part);
      }
    }
    return path;
  }

  private static final class Counted extends TarReader.Source {
    private final byte[] buffer = new byte[8 << 10];
    private final InputStream in;
    private long position;

    Counted(InputStream in) {
      this.in = in;
    }

    @Override
    public int read() throws IOException {
      int one = in.read();
      position += one < 0 ? 0 : 1;
      return one;
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
      int count = in.read(buffer, offset, length);
      position += Math.max(0, count);
      return count;
    }

    @Override
    @Nullable ByteBuffer piece(int most) throws IOException {
      int count = read(buffer, 0, Math.min(most, buffer.length));
      return count < 0 ? null : ByteBuffer.wrap(buffer, 0, count);
    }

    @Override
    public long skip(long count) throws IOException {
      long skipped = in.skip(count);
      position += skipped;
      return skipped;
    }
  }
}
