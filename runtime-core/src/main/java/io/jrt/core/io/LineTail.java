package io.jrt.core.io;

import io.jrt.linux.Fd;
import io.jrt.linux.Files;
import io.jrt.linux.OpenFlags;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A file that remembers a stream's unfinished line across a restart of the daemon. It has two slots
 * that are written in turn, content before header, so that one is whole at any time; the higher
 * sequence number counts. The file is made when there is first something to remember.
 */
final class LineTail implements AutoCloseable {
  private static final int MAGIC = 0x6a727454;
  private static final int SLOT = 32 * 1024;
  private static final int HEADER = 32;

  private final Files files;
  private final Path file;
  private @Nullable Fd fd;
  private long sequence;
  private LineFormatter.Snapshot loaded = LineFormatter.Snapshot.CLEAN;

  private LineTail(Files files, Path file) {
    this.files = files;
    this.file = file;
  }

  static LineTail open(Files files, Path file) {
    LineTail tail = new LineTail(files, file);
    if (java.nio.file.Files.exists(file)) {
      tail.fd = files.open(file, OpenFlags.O_RDWR | OpenFlags.O_NOFOLLOW);
      tail.load(0);
      tail.load(1);
    }
    return tail;
  }

  /** The number of the last state saved; 0 for none. */
  long sequence() {
    return sequence;
  }

  /** What was saved last, as of {@link #open}. */
  LineFormatter.Snapshot loaded() {
    return loaded;
  }

  void save(LineFormatter.Snapshot snapshot) {
    Fd open = fd;
    if (open == null) {
      open = files.open(file, OpenFlags.O_RDWR | OpenFlags.O_CREAT | OpenFlags.O_NOFOLLOW, 0600);
      fd = open;
    }
    long next = sequence + 1;
    long slot = (next & 1) * SLOT;
    byte[] pending = snapshot.pending();
    writeAll(open, ByteBuffer.wrap(pending), slot + HEADER);
    ByteBuffer header = ByteBuffer.allocate(HEADER).order(ByteOrder.LITTLE_ENDIAN);
    header.putInt(MAGIC).putInt(pending.length).putLong(next).putInt(snapshot.midLine() ? 1 : 0);
    writeAll(open, header.position(0), slot);
    sequence = next;
  }

  private void writeAll(Fd to, ByteBuffer bytes, long at) {
    long position = at;
    while (bytes.hasRemaining()) {
      position += files.pwrite(to, bytes, position);
    }
  }

  private void load(int slot) {
    Fd open = fd;
    if (open == null) {
      return;
    }
    ByteBuffer bytes =
        ByteBuffer.allocate(HEADER + LineFormatter.MAX_LINE).order(ByteOrder.LITTLE_ENDIAN);
    long position = (long) slot * SLOT;
    while (bytes.hasRemaining()) {
      int n = files.pread(open, bytes, position);
      if (n <= 0) {
        break;
      }
      position += n;
    }
    bytes.flip();
    if (bytes.remaining() < HEADER || bytes.getInt(0) != MAGIC) {
      return;
    }
    int length = bytes.getInt(4);
    long number = bytes.getLong(8);
    if (number > sequence && length >= 0 && HEADER + length <= bytes.limit()) {
      byte[] pending = new byte[length];
      bytes.get(HEADER, pending);
      sequence = number;
      loaded = new LineFormatter.Snapshot(pending, bytes.getInt(16) != 0);
    }
  }

  /** Forgets everything: the stream is over. */
  void delete() {
    close();
    try {
      java.nio.file.Files.deleteIfExists(file);
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    Fd open = fd;
    fd = null;
    if (open != null) {
      open.close();
    }
  }
}
