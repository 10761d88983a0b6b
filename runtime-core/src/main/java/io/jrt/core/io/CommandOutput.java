package io.jrt.core.io;

import io.jrt.core.op.Operations;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Fd;
import io.jrt.linux.Kernel;
import io.jrt.linux.KernelException;
import io.jrt.linux.OpenFlags;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The beginning of what a command printed to one of its streams: a little in memory, and what comes
 * after it in a file without a name. However many commands print much at once, they do not fill the
 * memory of the daemon.
 */
public final class CommandOutput implements AutoCloseable {
  /** How much is kept, in bytes: as much as containerd keeps. */
  public static final int LIMIT = 16 << 20;

  /** How much of it lies in memory, in bytes: more than probes and hooks print. */
  static final int IN_MEMORY = 64 << 10;

  private static final String STEP = "keep output";

  private final Kernel kernel;
  private final Path directory;
  private final ByteArrayOutputStream beginning = new ByteArrayOutputStream(0);
  private @Nullable Fd rest;
  private @Nullable KernelException lost;
  private int length;
  private boolean whole;

  /**
   * @param directory where there is room for files
   */
  public CommandOutput(Kernel kernel, Path directory) {
    this.kernel = kernel;
    this.directory = directory;
  }

  /** Takes all of a piece and keeps what there is still room for. */
  public synchronized void append(ByteBuffer bytes) {
    int end = bytes.limit();
    if (!whole && lost == null) {
      bytes.limit(bytes.position() + Math.min(bytes.remaining(), LIMIT - length));
      keep(bytes);
    }
    bytes.limit(end).position(end);
  }

  private void keep(ByteBuffer bytes) {
    if (rest == null && length + bytes.remaining() <= IN_MEMORY) {
      byte[] part = new byte[bytes.remaining()];
      bytes.get(part);
      beginning.writeBytes(part);
      length += part.length;
      return;
    }
    try {
      if (rest == null) {
        rest = kernel.files().open(directory, OpenFlags.O_TMPFILE | OpenFlags.O_RDWR, 0600);
      }
      while (bytes.hasRemaining()) {
        length += kernel.files().pwrite(rest, bytes, length - beginning.size());
      }
    } catch (KernelException e) {
      lost = e;
    }
  }

  /**
   * Ends it: what comes from now on is not kept.
   *
   * @throws JrtException NO_SPACE, EXHAUSTED and others: some of it could not be kept
   */
  public synchronized CommandOutput finish() {
    whole = true;
    if (lost != null) {
      throw new JrtException(
          Operations.kindOf(lost.errno()),
          STEP,
          "the output of the command could not be kept in %s: %s"
              .formatted(directory, lost.getMessage()),
          lost);
    }
    return this;
  }

  /** In bytes. */
  public synchronized int length() {
    return length;
  }

  /** Whether some of it lies in a file, as it is more than should be in memory a hundred times. */
  public synchronized boolean isLarge() {
    return rest != null;
  }

  /** All that was kept, in an array that is nobody else's. */
  public synchronized byte[] toArray() {
    if (rest == null) {
      return beginning.toByteArray();
    }
    byte[] all = new byte[length];
    ByteBuffer left = ByteBuffer.wrap(all).put(beginning.toByteArray());
    while (left.hasRemaining()) {
      if (kernel.files().pread(rest, left, left.position() - beginning.size()) <= 0) {
        throw new IllegalStateException("kept output ends at " + left.position());
      }
    }
    return all;
  }

  /**
   * All that was kept, piece by piece. What lies in a file is mapped: it takes nothing of the heap.
   *
   * @param arena for how long the pieces are read
   * @throws JrtException UNAVAILABLE when the file cannot be mapped
   */
  public synchronized List<ByteBuffer> view(Arena arena) {
    ByteBuffer first = ByteBuffer.wrap(beginning.toByteArray());
    if (rest == null) {
      return List.of(first);
    }
    // The JDK maps what it has opened itself.
    Path file = Path.of("/proc/self/fd", Integer.toString(rest.value()));
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      int size = length - beginning.size();
      return List.of(
          first, channel.map(FileChannel.MapMode.READ_ONLY, 0, size, arena).asByteBuffer());
    } catch (IOException e) {
      throw new JrtException(
          ErrorKind.UNAVAILABLE, STEP, "the kept output of the command cannot be read back", e);
    }
  }

  public String text() {
    return new String(toArray(), StandardCharsets.UTF_8);
  }

  @Override
  public synchronized void close() {
    whole = true;
    if (rest != null) {
      rest.close();
    }
  }
}
