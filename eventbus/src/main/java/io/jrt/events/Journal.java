package io.jrt.events;

import com.google.common.eventbus.Subscribe;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.json.PlainRecords;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * The events on disk: one JSON document a line, in two files of bounded size that take turns.
 *
 * <p>A thread of its own writes, so that a slow or full disk holds no publisher up; what it could
 * not write is a gap in the sequence, and the count of such events is logged. A line cut short by a
 * power cut is skipped when read.
 */
final class Journal implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Journal.class);
  private static final int QUEUE = 16_384;

  /** How much of its end tells the last event, as a rule. */
  private static final long TAIL_BYTES = 16 << 10;

  /** One for all: what it learns of the events' forms is costly to learn. */
  private static final JsonMapper JSON = JsonMapper.builder().addModule(new PlainRecords()).build();

  private final Path current;
  private final Path previous;
  private final long segmentBytes;
  private final BlockingQueue<Task> queue = new ArrayBlockingQueue<>(QUEUE);
  private final AtomicLong dropped = new AtomicLong();
  private final Thread writer;
  private @Nullable FileChannel channel;
  private boolean broken;

  private sealed interface Task {
    record Write(Recorded recorded) implements Task {}

    record Flush(Thread waiter, AtomicLong done) implements Task {}

    record End() implements Task {}
  }

  Journal(Path directory, long segmentBytes) {
    this.current = directory.resolve("events.jsonl");
    this.previous = directory.resolve("events.1.jsonl");
    this.segmentBytes = segmentBytes;
    try {
      Files.createDirectories(directory);
    } catch (IOException e) {
      throw new JrtException(
          ErrorKind.UNAVAILABLE, "open event journal", "cannot make " + directory, e);
    }
    for (Path file : List.of(current, previous)) {
      if (Files.isDirectory(file)) {
        moveAway(file);
      }
    }
    this.writer = Thread.ofPlatform().name("event-journal").daemon().unstarted(this::write);
  }

  /** Something that no event can be written to must not silence the journal for ever. */
  private static void moveAway(Path file) {
    Path aside = file.resolveSibling(file.getFileName() + ".damaged." + System.nanoTime());
    try {
      Files.move(file, aside);
      log.error("{} is no event journal and was moved to {}", file, aside);
    } catch (IOException e) {
      log.error("{} is no event journal and cannot be moved: {}", file, e.toString());
    }
  }

  void start() {
    writer.start();
  }

  @Subscribe
  void add(Recorded recorded) {
    if (!queue.offer(new Task.Write(recorded))) {
      dropped.incrementAndGet();
    }
  }

  /** The events of both files, oldest first. */
  List<Recorded> read() {
    List<Recorded> all = new ArrayList<>();
    read(previous, all);
    read(current, all);
    return all;
  }

  private static void read(Path file, List<Recorded> into) {
    if (!Files.exists(file)) {
      return;
    }
    int skipped = 0;
    // What is no UTF-8 becomes a line that is no event, and does not hide those after it.
    try (var lines =
        new BufferedReader(
            new InputStreamReader(Files.newInputStream(file), StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        Optional<Recorded> recorded = parse(file, line);
        recorded.ifPresent(into::add);
        skipped += recorded.isPresent() || line.isEmpty() ? 0 : 1;
      }
    } catch (IOException e) {
      log.warn("cannot read the event journal {}: {}", file, e.toString());
    }
    tellSkipped(file, skipped);
  }

  private static Optional<Recorded> parse(Path file, String line) {
    if (line.isEmpty()) {
      return Optional.empty();
    }
    try {
      Recorded recorded = JSON.readValue(line, Recorded.class);
      return Optional.ofNullable(recorded).filter(r -> r.at() != null && r.event() != null);
    } catch (JacksonException e) {
      log.debug("skipped a line of {}: {}", file, e.getMessage());
      return Optional.empty();
    }
  }

  private static void tellSkipped(Path file, int skipped) {
    if (skipped > 0) {
      log.warn("{} lines of the event journal {} are no events", skipped, file);
    }
  }

  /** The number of the last event, 0 for none; reads no more of the files than it takes. */
  long lastSequence() {
    for (Path file : List.of(current, previous)) {
      OptionalLong last = OptionalLong.empty();
      try {
        last = Files.exists(file) ? lastSequence(file) : last;
      } catch (IOException e) {
        log.warn("cannot read the event journal {}: {}", file, e.toString());
      }
      if (last.isPresent()) {
        return last.getAsLong();
      }
    }
    return 0;
  }

  private static OptionalLong lastSequence(Path file) throws IOException {
    try (FileChannel in = FileChannel.open(file, StandardOpenOption.READ)) {
      long size = in.size();
      long length = Math.min(size, TAIL_BYTES);
      while (true) {
        // The first line of a part may be the end of one.
        List<String> whole =
            end(in, size - length, length).lines().skip(length < size ? 1 : 0).toList();
        int skipped = 0;
        for (String line : whole.reversed()) {
          Optional<Recorded> recorded = parse(file, line);
          if (recorded.isPresent()) {
            tellSkipped(file, skipped);
            return OptionalLong.of(recorded.get().sequence());
          }
          skipped += line.isEmpty() ? 0 : 1;
        }
        if (length == size) {
          tellSkipped(file, skipped);
          return OptionalLong.empty();
        }
        length = Math.min(size, length * 4);
      }
    }
  }

  private static String end(FileChannel in, long from, long length) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(length));
    while (bytes.hasRemaining() && in.read(bytes, from + bytes.position()) >= 0) {
      // until the buffer is full, or the file ends before it should
    }
    return StandardCharsets.UTF_8.decode(bytes.flip()).toString();
  }

  private void write() {
    List<Task> batch = new ArrayList<>();
    StringBuilder text = new StringBuilder();
    boolean end = false;
    while (!end) {
      batch.clear();
      text.setLength(0);
      try {
        batch.add(queue.take());
      } catch (InterruptedException e) {
        break;
      }
      queue.drainTo(batch);
      List<Task.Flush> flushes = new ArrayList<>();
      for (Task task : batch) {
        switch (task) {
          case Task.Write(Recorded recorded) ->
              text.append(JSON.writeValueAsString(recorded)).append('\n');
          case Task.Flush flush -> flushes.add(flush);
          case Task.End() -> end = true;
        }
      }
      append(text);
      for (Task.Flush flush : flushes) {
        flush.done().set(1);
        LockSupport.unpark(flush.waiter());
      }
    }
    closeChannel();
  }

  private void append(CharSequence text) {
    if (text.isEmpty()) {
      return;
    }
    try {
      FileChannel out = channel();
      if (out.size() + text.length() > segmentBytes && out.size() > 0) {
        out.force(false);
        closeChannel();
        Files.move(current, previous, StandardCopyOption.REPLACE_EXISTING);
        out = channel();
      }
      ByteBuffer bytes = StandardCharsets.UTF_8.encode(text.toString());
      while (bytes.hasRemaining()) {
        out.write(bytes);
      }
      if (broken) {
        broken = false;
        log.info("the event journal {} is written again", current);
      }
    } catch (IOException e) {
      if (!broken) {
        broken = true;
        log.warn("cannot write the event journal {}: {}", current, e.toString());
      }
      closeChannel();
    }
    long lost = dropped.getAndSet(0);
    if (lost > 0) {
      log.warn("{} events did not get into the journal {}: the disk was too slow", lost, current);
    }
  }

  private FileChannel channel() throws IOException {
    FileChannel open = channel;
    if (open == null) {
      open =
          FileChannel.open(
              current,
              Set.of(
                  StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.APPEND),
              PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
      channel = open;
      endCutLine(open);
    }
    return open;
  }

  /** A crash may have cut the last line: the next event starts on a line of its own. */
  private void endCutLine(FileChannel open) throws IOException {
    if (open.size() == 0) {
      return;
    }
    try (FileChannel in = FileChannel.open(current, StandardOpenOption.READ)) {
      ByteBuffer last = ByteBuffer.allocate(1);
      in.read(last, in.size() - 1);
      if (last.get(0) != '\n') {
        open.write(ByteBuffer.wrap(new byte[] {'\n'}));
      }
    }
  }

  private void closeChannel() {
    try {
      if (channel != null) {
        channel.close();
      }
    } catch (IOException e) {
      log.warn("closing the event journal {} failed: {}", current, e.toString());
    }
    channel = null;
  }

  /** Waits until everything added so far is in the file, or for a second. */
  void flush() {
    AtomicLong done = new AtomicLong();
    if (!queue.offer(new Task.Flush(Thread.currentThread(), done))) {
      return;
    }
    long until = System.nanoTime() + 1_000_000_000L;
    while (done.get() == 0 && System.nanoTime() < until && writer.isAlive()) {
      LockSupport.parkNanos(this, 20_000_000L);
    }
  }

  @Override
  public void close() {
    try {
      queue.put(new Task.End());
      writer.join(5_000);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
