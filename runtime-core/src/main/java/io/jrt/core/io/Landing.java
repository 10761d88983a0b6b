package io.jrt.core.io;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.SecureRandom;
import java.util.Optional;

/**
 * The piece of memory into which logged output is read: a mapped file on {@code /run}, so that
 * bytes that left a pipe and did not reach the log yet outlive a daemon that is killed.
 *
 * <p>One batch at a time goes through it: {@code idle → reading} (says whose pipe will be read)
 * {@code → taken} (how much came, where in which log it goes and with what time) {@code → idle}
 * (all of it is in the log). A daemon killed while reading left no count; but the place was painted
 * with bytes that no UTF-8 text contains, and what is paint no more was read. For output that is
 * not text the last byte of such a batch is lost once in 256 of these cases, and a case is a kill
 * within a microsecond or so after a read.
 *
 * <p>In state {@code taken} the log is compared with what must be in it, and what misses is
 * written; hence each byte is logged once. A killed process's stores to a shared mapping stay, in
 * the order in which it made them.
 */
final class Landing {
  /** The most bytes of one batch. */
  static final int CAPACITY = 64 * 1024;

  private static final int MAGIC = 0x6a72744c;
  private static final int IDLE = 0;
  private static final int READING = 1;
  private static final int TAKEN = 2;

  private static final int AT_MAGIC = 0;
  private static final int AT_STATE = 4;
  private static final int AT_COUNT = 8;
  private static final int AT_END = 12;
  private static final int AT_SEQUENCE = 16;
  private static final int AT_LOG_POSITION = 24;
  private static final int AT_LOG_DEVICE = 32;
  private static final int AT_LOG_INODE = 40;
  private static final int AT_TIME = 64;
  private static final int AT_OWNER = 128;
  private static final int AT_DATA = 4096;
  private static final int AT_PAINT = AT_DATA + CAPACITY;
  private static final int SIZE = AT_PAINT + CAPACITY;

  private final Path file;
  private final ByteBuffer map;
  private final ByteBuffer data;

  private Landing(Path file, ByteBuffer map) {
    this.file = file;
    this.map = map;
    this.data = map.slice(AT_DATA, CAPACITY).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** What a daemon that died left in a landing. */
  record Batch(
      String owner,
      boolean taken,
      boolean end,
      long sequence,
      long logPosition,
      long logDevice,
      long logInode,
      String time) {}

  static Landing create(Path file) {
    Landing landing = new Landing(file, map(file, StandardOpenOption.CREATE_NEW));
    byte[] paint = new byte[CAPACITY];
    new SecureRandom().nextBytes(paint); // not to be guessed by a container
    for (int i = 0; i < paint.length; i++) {
      paint[i] |= (byte) 0xf8;
    }
    landing.map.put(AT_PAINT, paint);
    landing.map.put(AT_DATA, paint);
    landing.map.putInt(AT_STATE, IDLE);
    landing.map.putInt(AT_MAGIC, MAGIC);
    return landing;
  }

  /** Opens one that an earlier daemon left; empty when nothing is in it. */
  static Optional<Landing> openLeftover(Path file) {
    try {
      if (Files.size(file) != SIZE) {
        return Optional.empty();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Landing landing = new Landing(file, map(file, StandardOpenOption.READ));
    boolean used = landing.map.getInt(AT_MAGIC) == MAGIC && landing.map.getInt(AT_STATE) != IDLE;
    return used ? Optional.of(landing) : Optional.empty();
  }

  private static ByteBuffer map(Path file, StandardOpenOption option) {
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE, option)) {
      return channel.map(FileChannel.MapMode.READ_WRITE, 0, SIZE).order(ByteOrder.LITTLE_ENDIAN);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  Path file() {
    return file;
  }

  /** Says whose output will be read next; {@link #room} must be filled right after. */
  void reading(byte[] owner, long sequence) {
    map.putInt(AT_OWNER, owner.length);
    map.put(AT_OWNER + 4, owner);
    map.putLong(AT_SEQUENCE, sequence);
    state(READING);
  }

  /** Where to read into: empty and painted. */
  ByteBuffer room() {
    return data.clear();
  }

  /**
   * The read gave so many bytes.
   *
   * @param end whether this is the end of the stream, so that an unfinished line is written, too
   */
  void taken(int count, boolean end, LogFile log, String time) {
    byte[] text = time.getBytes(StandardCharsets.US_ASCII);
    map.putInt(AT_COUNT, count);
    map.putInt(AT_END, end ? 1 : 0);
    map.putLong(AT_LOG_POSITION, log.position());
    map.putLong(AT_LOG_DEVICE, log.device());
    map.putLong(AT_LOG_INODE, log.inode());
    map.put(AT_TIME, (byte) text.length);
    map.put(AT_TIME + 1, text);
    state(TAKEN);
  }

  /** The first {@code count} bytes. */
  ByteBuffer bytes(int count) {
    return data.clear().limit(count);
  }

  /** The batch is done with. Paints over it only after that: until then it must stay readable. */
  void idle(int count) {
    state(IDLE);
    data.put(0, map, AT_PAINT, count);
    VarHandle.storeStoreFence();
  }

  Batch leftover() {
    byte[] owner = new byte[Math.clamp(map.getInt(AT_OWNER), 0, 1024)];
    map.get(AT_OWNER + 4, owner);
    byte[] time = new byte[Math.clamp(map.get(AT_TIME), 0, 60)];
    map.get(AT_TIME + 1, time);
    return new Batch(
        new String(owner, StandardCharsets.UTF_8),
        map.getInt(AT_STATE) == TAKEN,
        map.getInt(AT_END) != 0,
        map.getLong(AT_SEQUENCE),
        map.getLong(AT_LOG_POSITION),
        map.getLong(AT_LOG_DEVICE),
        map.getLong(AT_LOG_INODE),
        new String(time, StandardCharsets.US_ASCII));
  }

  /** How many bytes a leftover batch has. */
  int leftoverCount() {
    if (map.getInt(AT_STATE) == TAKEN) {
      return Math.clamp(map.getInt(AT_COUNT), 0, CAPACITY);
    }
    int count = CAPACITY;
    while (count > 0 && map.get(AT_DATA + count - 1) == map.get(AT_PAINT + count - 1)) {
      count--;
    }
    return count;
  }

  private void state(int state) {
    VarHandle.fullFence();
    map.putInt(AT_STATE, state);
    VarHandle.fullFence();
  }
}
