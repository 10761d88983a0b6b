package io.jrt.image.layer;

import io.jrt.linux.Inflation;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.ZipException;

/**
 * Inflates gzip, also of many members one after the other, as builders of seekable layers write it.
 * Large reads go from the compressed buffer straight into the caller's.
 */
final class GzipStream extends InputStream {
  private static final int HEADER_CRC = 2;
  private static final int EXTRA = 4;
  private static final int NAME = 8;
  private static final int COMMENT = 16;

  private static final int INPUT = 128 << 10;

  /** Bytes that an inflater may hold of the buffer before. */
  private static final int SLACK = 16;

  private final InputStream in;
  private final byte[] input = new byte[INPUT + SLACK];
  private final Inflation inflater;
  private final CRC32 crc = new CRC32();
  private int position;
  private int limit;
  private long size;
  private boolean inMember;
  private boolean ended;
  private boolean first = true;

  GzipStream(InputStream in) {
    this(in, Inflation.open());
  }

  GzipStream(InputStream in, Inflation inflater) {
    this.in = in;
    this.inflater = inflater;
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
    return inflate(
        () -> {
          int count = inflater.inflate(buffer, offset, length);
          if (count > 0) {
            crc.update(buffer, offset, count);
          }
          return count;
        });
  }

  /**
   * Reads into a direct buffer what the inflater gives at once, without a copy.
   *
   * @return number of bytes, at least one unless the buffer is full; -1 at the end
   */
  int read(ByteBuffer direct) throws IOException {
    if (!direct.hasRemaining()) {
      return 0;
    }
    return inflate(
        () -> {
          ByteBuffer written = direct.duplicate();
          int count = inflater.inflate(direct);
          crc.update(written.limit(direct.position()));
          return count;
        });
  }

  private interface Step {
    int inflate() throws DataFormatException;
  }

  private int inflate(Step step) throws IOException {
    while (!ended) {
      if (!inMember) {
        nextMember();
        continue;
      }
      try {
        int count = step.inflate();
        if (count > 0) {
          size += count;
          return count;
        }
      } catch (DataFormatException e) {
        throw new ZipException("gzip data is damaged: " + e.getMessage());
      }
      if (inflater.finished()) {
        endMember();
      } else {
        if (position == limit && !refill()) {
          throw new EOFException("gzip data ends too early");
        }
        inflater.input(input, position, limit - position);
        position = limit;
      }
    }
    return -1;
  }

  private void nextMember() throws IOException {
    if (position == limit && !refill()) {
      if (first) {
        throw new EOFException("gzip data is empty");
      }
      ended = true;
      return;
    }
    if (next() != 0x1f || next() != 0x8b) {
      throw new ZipException(first ? "not gzip" : "gzip data is followed by something else");
    }
    if (next() != 8) {
      throw new ZipException("gzip data of an unknown method");
    }
    int flags = next();
    for (int i = 0; i < 6; i++) {
      next();
    }
    if ((flags & EXTRA) != 0) {
      int length = next() | next() << 8;
      for (int i = 0; i < length; i++) {
        next();
      }
    }
    for (int text = flags & (NAME | COMMENT); text != 0; text &= text - 1) {
      while (next() != 0) {
        // Names in a gzip header mean nothing here.
      }
    }
    if ((flags & HEADER_CRC) != 0) {
      next();
      next();
    }
    first = false;
    inMember = true;
    crc.reset();
    size = 0;
    inflater.reset();
  }

  private void endMember() throws IOException {
    unread(inflater.rest());
    long sum = little32();
    long length = little32();
    if (sum != crc.getValue() || length != (size & 0xffffffffL)) {
      throw new ZipException("gzip data has a wrong checksum");
    }
    inMember = false;
  }

  /** What the inflater was given too much; all of the buffer is consumed when it is called. */
  private void unread(byte[] bytes) {
    // A few bytes may come from the buffer before, so they need not fit where they were.
    position = input.length - bytes.length;
    limit = input.length;
    System.arraycopy(bytes, 0, input, position, bytes.length);
  }

  private long little32() throws IOException {
    return next() | next() << 8 | next() << 16 | (long) next() << 24;
  }

  private int next() throws IOException {
    if (position == limit && !refill()) {
      throw new EOFException("gzip data ends too early");
    }
    return input[position++] & 0xff;
  }

  private boolean refill() throws IOException {
    position = 0;
    limit = 0;
    int count = in.read(input, 0, INPUT);
    if (count <= 0) {
      return false;
    }
    limit = count;
    return true;
  }

  @Override
  public void close() throws IOException {
    inflater.close();
    in.close();
  }
}
