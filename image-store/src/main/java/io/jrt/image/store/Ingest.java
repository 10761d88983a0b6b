package io.jrt.image.store;

import io.jrt.image.content.Descriptor;
import io.jrt.linux.Fd;
import io.jrt.linux.Files;
import io.jrt.linux.KernelException;
import io.jrt.linux.OpenFlags;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The compressed bytes of layers under way, so that a pull that was broken off, also by the
 * daemon's end, fetches none of them again. A file is named for the digest and the length of its
 * layer, and holds the front of it; the digest of the whole is verified when the rest is there, so
 * nothing depends on what a power cut made of the file. It is deleted when its layer is committed,
 * or when no pull took it up for a day.
 *
 * <p>Only what would take long to fetch again is kept: where layers come in a moment, as from a
 * registry next door, they are not written twice.
 */
final class Ingest {
  private static final Logger LOG = LoggerFactory.getLogger(Ingest.class);
  private static final Duration KEPT = Duration.ofDays(1);
  private static final long MIN_SIZE = 256L << 10;
  private static final long SECONDS_WORTH_KEEPING = 1;

  private final Files files;
  private final Path directory;
  private final Set<String> taken = ConcurrentHashMap.newKeySet();
  private volatile long bytesPerSecond;

  Ingest(Files files, Path directory) {
    this.files = files;
    this.directory = directory;
  }

  /**
   * The place of a layer's bytes, one at a time; to be closed.
   *
   * @return empty when it is not worth the disk, or when another pull has it
   */
  Optional<Part> take(Descriptor layer) {
    String name = layer.digest().hex() + "-" + layer.size();
    Path path = directory.resolve(name);
    boolean begun = java.nio.file.Files.exists(path);
    if ((!begun && !isWorthKeeping(layer.size())) || !taken.add(name)) {
      return Optional.empty();
    }
    try {
      Fd fd = files.open(path, OpenFlags.O_RDWR | OpenFlags.O_CREAT | OpenFlags.O_APPEND, 0600);
      long have = files.fstat(fd).size();
      if (have > layer.size()) {
        files.ftruncate(fd, 0);
        have = 0;
      }
      return Optional.of(new Part(name, path, fd, have));
    } catch (KernelException e) {
      taken.remove(name);
      LOG.warn("{} cannot be kept for a later attempt", path, e);
      return Optional.empty();
    }
  }

  private boolean isWorthKeeping(long size) {
    long speed = bytesPerSecond;
    return size >= MIN_SIZE && (speed == 0 || size / speed >= SECONDS_WORTH_KEEPING);
  }

  /** Learns how fast layers come. */
  void fetched(long bytes, long nanos) {
    if (bytes >= MIN_SIZE) {
      long now = Math.max(1, (long) (bytes * 1e9 / Math.max(1, nanos)));
      long before = bytesPerSecond;
      bytesPerSecond = before == 0 ? now : (3 * before + now) / 4;
    }
  }

  /**
   * Deletes what no pull took up for a day.
   *
   * @param here hex digests of compressed layers that are here, of which nothing is needed
   */
  void deleteOld(Set<String> here) {
    delete(Instant.now().minus(KEPT), here);
  }

  /** Deletes all that no pull under way has, since the disk is full. */
  void deleteUnused() {
    delete(Instant.MAX, Set.of());
  }

  private void delete(Instant before, Set<String> here) {
    try (var parts = java.nio.file.Files.newDirectoryStream(directory)) {
      for (Path part : parts) {
        String name = String.valueOf(part.getFileName());
        boolean useless =
            here.contains(name.substring(0, Math.max(0, name.indexOf('-'))))
                || java.nio.file.Files.getLastModifiedTime(part).toInstant().isBefore(before);
        if (useless && !taken.contains(name)) {
          java.nio.file.Files.deleteIfExists(part);
        }
      }
    } catch (NoSuchFileException e) {
      LOG.debug("a part went while it was looked at", e);
    } catch (IOException e) {
      throw StoreFiles.failed("clean image store", directory, e);
    }
  }

  /** The front of one layer. */
  final class Part implements AutoCloseable {
    private final String name;
    private final Path path;
    private final Fd fd;
    private final long have;
    private boolean open = true;
    private boolean writes = true;

    private Part(String name, Path path, Fd fd, long have) {
      this.name = name;
      this.path = path;
      this.fd = fd;
      this.have = have;
    }

    /** Bytes that were here when it was taken. */
    long have() {
      return have;
    }

    /** Reads what was here when it was taken. */
    int read(long position, byte[] buffer, int offset, int length) {
      int wanted = (int) Math.min(length, have - position);
      return files.pread(fd, java.nio.ByteBuffer.wrap(buffer, offset, wanted), position);
    }

    /** Appends what came; a disk that is full or broken ends the keeping, not the pull. */
    void append(byte[] buffer, int offset, int length) {
      if (!writes) {
        return;
      }
      try {
        for (int done = 0; done < length; ) {
          done += files.write(fd, buffer, offset + done, length - done);
        }
      } catch (KernelException e) {
        LOG.warn("{} cannot be kept for a later attempt", path, e);
        writes = false;
      }
    }

    /** It is wrong, or its layer is here. */
    void discard() {
      writes = false;
      try {
        java.nio.file.Files.deleteIfExists(path);
      } catch (IOException e) {
        LOG.warn("{} cannot be deleted now", path, e);
      }
    }

    @Override
    public void close() {
      if (open) {
        open = false;
        fd.close();
        taken.remove(name);
      }
    }
  }

  /** Opens the rest of a layer. */
  interface Rest {
    InputStream from(long position);
  }

  /** A layer whose front is here: the rest is fetched, and kept as it comes. */
  static final class Stream extends InputStream {
    private final Part part;
    private final Rest rest;
    private long position;
    private InputStream fetched = InputStream.nullInputStream();
    private boolean begun;

    Stream(Part part, Rest rest) {
      this.part = part;
      this.rest = rest;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
      if (length == 0) {
        return 0;
      }
      if (position < part.have()) {
        int count = part.read(position, buffer, offset, length);
        if (count <= 0) {
          throw new IOException("the kept front of a layer became shorter");
        }
        position += count;
        return count;
      }
      if (!begun) {
        begun = true;
        fetched = rest.from(position);
      }
      int count = fetched.read(buffer, offset, length);
      if (count > 0) {
        part.append(buffer, offset, count);
        position += count;
      }
      return count;
    }

    @Override
    public void close() throws IOException {
      fetched.close();
    }
  }
}
