package io.jrt.core.io;

import io.jrt.core.io.ContainerIoSpec.LogTarget;
import io.jrt.linux.Files;
import io.jrt.linux.KernelException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.format.DateTimeFormatter;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The CRI log of one container: two streams that share a file. A batch of output is written as a
 * whole under the lock, with one time, which never goes backwards.
 */
final class ContainerLog implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ContainerLog.class);

  /** How much more may go to a renamed file so that a line of many pieces ends in it. */
  private static final long PIECES_AFTER_REOPEN = 1 << 20;

  private final Files files;
  private final LogTarget.ToFile target;
  private final Clock clock;
  private final Line stdout;
  private final Line stderr;
  private final ReentrantLock lock = new ReentrantLock();
  private LogFile file;
  private @Nullable LogFile next;
  private long writtenSinceReopen;
  private Instant last = Instant.MIN;
  private volatile long dropped;
  private boolean rememberingFails;
  private boolean closed;

  private ContainerLog(
      Files files, ContainerIoSpec spec, LogTarget.ToFile target, Clock clock, LogFile file) {
    this.files = files;
    this.target = target;
    this.clock = clock;
    this.file = file;
    this.stdout = new Line(files, spec, OutputStreamKind.STDOUT);
    this.stderr = new Line(files, spec, OutputStreamKind.STDERR);
  }

  static ContainerLog open(
      Files files, ContainerIoSpec spec, LogTarget.ToFile target, Clock clock) {
    LogFile file = LogFile.open(files, target.directory(), target.path());
    try {
      return new ContainerLog(files, spec, target, clock, file);
    } catch (RuntimeException e) {
      file.close();
      throw e;
    }
  }

  /** What names a stream in a {@link Landing}. */
  static String owner(String containerId, OutputStreamKind kind) {
    return containerId + '/' + kind.label();
  }

  /** Announces the next read of the stream to the landing. */
  void reading(OutputStreamKind kind, Landing landing) {
    Line line = line(kind);
    landing.reading(line.owner, line.tail.sequence());
  }

  /**
   * Logs the first {@code count} bytes of the worker's landing.
   *
   * @param end whether the stream has ended with them
   */
  void append(OutputStreamKind kind, IoWorker worker, int count, boolean end) {
    lock.lock();
    try {
      if (closed) {
        return;
      }
      String time = time();
      worker.landing().taken(count, end, file, time);
      write(line(kind), worker.landing().bytes(count), end, time, 0, worker.lines());
      switchFiles();
    } finally {
      lock.unlock();
    }
  }

  /** Brings to the log what a daemon that died had in flight of this stream. */
  void replay(OutputStreamKind kind, Landing leftover, ByteBuffer lines) {
    Line line = line(kind);
    Landing.Batch batch = leftover.leftover();
    if (line.tail.sequence() > batch.sequence()) {
      return;
    }
    lock.lock();
    try {
      int count = leftover.leftoverCount();
      if (batch.taken()) {
        long there =
            file.isSameFile(batch.logDevice(), batch.logInode())
                ? Math.max(0, file.position() - batch.logPosition())
                : 0;
        write(line, leftover.bytes(count), batch.end(), batch.time(), there, lines);
      } else if (count > 0) {
        String time = time();
        leftover.taken(count, false, file, time);
        write(line, leftover.bytes(count), false, time, 0, lines);
      }
    } finally {
      lock.unlock();
    }
  }

  void reopen() {
    LogFile opened = LogFile.open(files, target.directory(), target.path());
    lock.lock();
    try {
      if (closed || opened.isSameFile(file.device(), file.inode())) {
        opened.close();
        return;
      }
      LogFile waiting = next;
      if (waiting != null) {
        waiting.close();
      }
      next = opened;
      writtenSinceReopen = 0;
      switchFiles();
    } finally {
      lock.unlock();
    }
  }

  long droppedBytes() {
    return dropped;
  }

  /** The container is over and its streams have ended. */
  void delete() {
    close();
    stdout.tail.delete();
    stderr.tail.delete();
  }

  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      file.close();
      LogFile waiting = next;
      next = null;
      if (waiting != null) {
        waiting.close();
      }
      stdout.tail.close();
      stderr.tail.close();
    } finally {
      lock.unlock();
    }
  }

  private void write(
      Line line, ByteBuffer bytes, boolean end, String time, long alreadyThere, ByteBuffer lines) {
    boolean wasClean = line.formatter.isClean();
    Batch batch = new Batch(lines.clear(), alreadyThere);
    line.formatter.format(bytes, time, batch);
    if (end) {
      line.formatter.end(time, batch);
    }
    batch.flush();
    if (!wasClean || !line.formatter.isClean()) {
      remember(line);
    }
  }

  private void remember(Line line) {
    try {
      line.tail.save(line.formatter.snapshot());
    } catch (KernelException e) {
      if (!rememberingFails) {
        rememberingFails = true;
        LOG.warn(
            "an unfinished line of {} would not outlive the daemon: {}",
            target.path(),
            e.getMessage());
      }
    }
  }

  /** Goes over to the new file, but not in the middle of a line whose pieces are in the old one. */
  private void switchFiles() {
    LogFile opened = next;
    boolean midLine = stdout.formatter.midLine() || stderr.formatter.midLine();
    if (opened != null && (!midLine || writtenSinceReopen >= PIECES_AFTER_REOPEN)) {
      next = null;
      file.close();
      file = opened;
    }
  }

  private String time() {
    Instant now = clock.instant();
    if (now.isBefore(last)) {
      now = last;
    }
    last = now;
    return DateTimeFormatter.ISO_OFFSET_DATE_TIME.format(
        OffsetDateTime.ofInstant(now, clock.getZone()));
  }

  private Line line(OutputStreamKind kind) {
    return switch (kind) {
      case STDOUT -> stdout;
      case STDERR -> stderr;
    };
  }

  /** One of the two streams. */
  private static final class Line {
    private final byte[] owner;
    private final LineFormatter formatter;
    private final LineTail tail;

    Line(Files files, ContainerIoSpec spec, OutputStreamKind kind) {
      this.owner = owner(spec.containerId(), kind).getBytes(StandardCharsets.UTF_8);
      this.formatter = new LineFormatter(kind);
      this.tail = LineTail.open(files, spec.stateDirectory().resolve(kind.label() + ".tail"));
      formatter.restore(tail.loaded());
    }
  }

  /** Gathers lines in the worker's buffer, so that most batches are one write. */
  private final class Batch implements LineFormatter.RecordOutput {
    private final ByteBuffer lines;
    private long skip;

    /**
     * @param skip so many bytes are in the file already
     */
    Batch(ByteBuffer lines, long skip) {
      this.lines = lines;
      this.skip = skip;
    }

    @Override
    public void record(
        byte[] prefix, byte[] head, int headLength, ByteBuffer in, int from, int length) {
      if (lines.remaining() < prefix.length + headLength + length + 1) {
        flush();
      }
      lines.put(prefix).put(head, 0, headLength);
      lines.put(lines.position(), in, from, length);
      lines.position(lines.position() + length).put((byte) '\n');
    }

    void flush() {
      lines.flip();
      int skipped = (int) Math.min(skip, lines.remaining());
      skip -= skipped;
      lines.position(skipped);
      if (lines.hasRemaining()) {
        writtenSinceReopen += lines.remaining();
        // Only this thread writes it, under the lock; others read it.
        long lost = dropped + file.append(lines);
        dropped = lost;
      }
      lines.clear();
    }
  }
}
