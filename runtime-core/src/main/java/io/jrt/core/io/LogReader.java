package io.jrt.core.io;

import io.jrt.core.Bytes;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Objects;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;

/**
 * Reads a CRI log: all of it, its end, or what comes, also when the file is renamed and begun anew
 * meanwhile.
 */
public final class LogReader {
  private static final int BUFFER = 64 * 1024;
  private static final int MAX_RECORD = 1024 * 1024;
  private static final long FOLLOW_MILLIS = 100;

  private final Path file;
  private final Query query;
  private final BooleanSupplier live;
  private final Predicate<Entry> sink;
  private ByteBuffer buffer = ByteBuffer.allocate(BUFFER).limit(0);

  private LogReader(Path file, Query query, BooleanSupplier live, Predicate<Entry> sink) {
    this.file = file;
    this.query = query;
    this.live = live;
    this.sink = sink;
  }

  /**
   * What is wanted.
   *
   * @param tail only so many last lines of the file; negative for all
   * @param since nothing older than this
   * @param follow whether to wait for more at the end, as long as the container may print
   */
  public record Query(long tail, Instant since, boolean follow) {
    public static final Query ALL = new Query(-1, Instant.MIN, false);
  }

  /**
   * One line of the log file.
   *
   * @param partial whether the next entry of the stream goes on in the same line
   */
  public record Entry(Instant time, OutputStreamKind stream, boolean partial, Bytes content) {}

  /**
   * Reads the log on the calling thread until its end, or until {@code sink} answers false.
   *
   * @param live whether the container may still print; looked at when following, at the end
   * @throws JrtException NOT_FOUND when there is no such file
   */
  public static void read(Path file, Query query, BooleanSupplier live, Predicate<Entry> sink)
      throws InterruptedException {
    try {
      new LogReader(file, query, live, sink).run();
    } catch (NoSuchFileException e) {
      throw new JrtException(ErrorKind.NOT_FOUND, "read log", "no log file " + file, e);
    } catch (IOException e) {
      throw new JrtException(ErrorKind.UNAVAILABLE, "read log", "cannot read log file " + file, e);
    }
  }

  private void run() throws IOException, InterruptedException {
    boolean first = true;
    while (true) {
      Object key = key(file);
      try (FileChannel channel = FileChannel.open(file)) {
        if (!Objects.equals(key(file), key)) {
          continue; // replaced in this moment: which of the two was opened is not known
        }
        buffer.clear().limit(0);
        if (first && query.tail() >= 0) {
          channel.position(startOfTail(channel, query.tail()));
        }
        first = false;
        if (!readAll(channel)) {
          return;
        }
        while (query.follow() && Objects.equals(key(file), key)) {
          // Asked before the file is read to its end, so that nothing printed before is missed.
          boolean more = live.getAsBoolean();
          if (channel.size() < channel.position()) {
            channel.position(0);
          }
          if (!readAll(channel) || !more) {
            return;
          }
          Thread.sleep(FOLLOW_MILLIS);
        }
        // Renamed: what was written to it until the switch is still to come.
        if (!query.follow() || !readRest(channel)) {
          return;
        }
      }
    }
  }

  /** The log goes on in the renamed file until the daemon has opened the new one. */
  private boolean readRest(FileChannel renamed) throws IOException, InterruptedException {
    while (!Files.exists(file)) {
      boolean more = live.getAsBoolean();
      if (!readAll(renamed) || !more) {
        return false;
      }
      Thread.sleep(FOLLOW_MILLIS);
    }
    return readAll(renamed);
  }

  /** What tells this file from another of the same name; the path itself when it has none. */
  private static Object key(Path file) throws IOException {
    try {
      Object key = Files.readAttributes(file, BasicFileAttributes.class).fileKey();
      return key == null ? file : key;
    } catch (NoSuchFileException e) {
      return Optional.empty();
    }
  }

  private static long startOfTail(FileChannel channel, long lines) throws IOException {
    long end = channel.size();
    long found = -1; // the newline at the very end closes the last line
    ByteBuffer block = ByteBuffer.allocate(BUFFER);
    while (end > 0) {
      long start = Math.max(0, end - BUFFER);
      block.clear().limit((int) (end - start));
      while (block.hasRemaining() && channel.read(block, start + block.position()) > 0) {}
      for (int i = block.position() - 1; i >= 0; i--) {
        if (block.get(i) == '\n' && ++found == lines) {
          return start + i + 1;
        }
      }
      end = start;
    }
    return 0;
  }

  /** Hands out all whole lines to the end of the file; answers false when the sink has enough. */
  private boolean readAll(FileChannel channel) throws IOException {
    while (true) {
      buffer.compact();
      if (!buffer.hasRemaining()) {
        if (buffer.capacity() >= MAX_RECORD) {
          buffer.clear(); // no line of a CRI log; begin again after it
        } else {
          buffer = ByteBuffer.allocate(buffer.capacity() * 4).put(buffer.flip());
        }
      }
      int n = channel.read(buffer);
      buffer.flip();
      for (int at = newline(); at >= 0; at = newline()) {
        byte[] line = new byte[at - buffer.position()];
        buffer.get(line).get();
        Optional<Entry> entry = parse(line);
        if (entry.isPresent()
            && !entry.get().time().isBefore(query.since())
            && !sink.test(entry.get())) {
          return false;
        }
      }
      if (n <= 0) {
        return true;
      }
    }
  }

  private int newline() {
    for (int i = buffer.position(); i < buffer.limit(); i++) {
      if (buffer.get(i) == '\n') {
        return i;
      }
    }
    return -1;
  }

  /** Empty for what is no line of a CRI log. */
  static Optional<Entry> parse(byte[] line) {
    int afterTime = indexOfSpace(line, 0);
    int afterStream = indexOfSpace(line, afterTime + 1);
    if (afterTime < 0 || afterStream < 0) {
      return Optional.empty();
    }
    int found = indexOfSpace(line, afterStream + 1);
    int afterTags = found < 0 ? line.length : found;
    String stream = ascii(line, afterTime + 1, afterStream);
    OutputStreamKind kind =
        stream.equals("stderr") ? OutputStreamKind.STDERR : OutputStreamKind.STDOUT;
    if (!stream.equals(kind.label())) {
      return Optional.empty();
    }
    try {
      Instant time = OffsetDateTime.parse(ascii(line, 0, afterTime)).toInstant();
      boolean partial = ascii(line, afterStream + 1, afterTags).split(":", -1)[0].equals("P");
      int from = Math.min(afterTags + 1, line.length);
      byte[] content = new byte[line.length - from];
      System.arraycopy(line, from, content, 0, content.length);
      return Optional.of(new Entry(time, kind, partial, Bytes.of(content)));
    } catch (DateTimeException e) {
      return Optional.empty();
    }
  }

  private static int indexOfSpace(byte[] line, int from) {
    for (int i = from; i < line.length; i++) {
      if (line[i] == ' ') {
        return i;
      }
    }
    return -1;
  }

  private static String ascii(byte[] line, int from, int to) {
    return new String(line, from, to - from, StandardCharsets.US_ASCII);
  }
}
