package io.jrt.image.layer;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
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

  private final InputStream in;
  private final byte[] input = new byte[128 << 10];
  private final Inflater inflater = new Inflater(true);
  private final CRC32 crc = new CRC32();
  private int position;
  private int limit;
  private boolean inMember;
  private boolean ended;
  private boolean first = true;

  GzipStream(InputStream in) {
    this.in = in;
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
    while (!ended) {
      if (!inMember) {
        nextMember();
        continue;
      }
      try {
        int count = inflater.inflate(buffer, offset, length);
        if (count > 0) {
          crc.update(buffer, offset, count);
          return count;
        }
      } catch (DataFormatException e) {
        throw new ZipException("gzip data is damaged: " + e.getMessage());
      }
      if (inflater.finished()) {
        endMember();
      } else if (inflater.needsDictionary()) {
        throw new ZipException("gzip data wants a dictionary");
      } else {
        if (!refill()) {
          throw new EOFException("gzip data ends too early");
        }
        inflater.setInput(input, 0, limit);
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
    inflater.reset();
    inflater.setInput(input, position, limit - position);
    position = limit;
  }

  private void endMember() throws IOException {
    position = limit - inflater.getRemaining();
    long sum = little32();
    long size = little32();
    if (sum != crc.getValue() || size != (inflater.getBytesWritten() & 0xffffffffL)) {
      throw new ZipException("gzip data has a wrong checksum");
    }
    inMember = false;
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
    int count = in.read(input, 0, input.length);
    if (count <= 0) {
      return false;
    }
    limit = count;
    return true;
  }

  @Override
  public void close() throws IOException {
    inflater.end();
    in.close();
  }
}
