package io.jrt.core.io;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Turns what one stream of a container printed into lines of a CRI log: {@code TIME STREAM TAG
 * CONTENT\n}, where the tag is F for a line and the last piece of one, and P for a piece that goes
 * on. Content is bytes and stays as it is, but for a carriage return before the newline.
 *
 * <p>A line that is not finished yet is kept here until its end comes, at most {@value #MAX_LINE}
 * bytes of it. What is made of a piece of output depends on nothing but {@linkplain #snapshot the
 * state before} and the time, so that after a crash the same can be made again.
 */
final class LineFormatter {
  /** The most bytes of content in one line of the log. */
  static final int MAX_LINE = 16 * 1024;

  private static final byte[] EMPTY = {};
  private static final long ONES = 0x0101010101010101L;
  private static final long HIGHS = 0x8080808080808080L;
  private static final long NEWLINES = ONES * '\n';

  private final OutputStreamKind kind;
  private byte[] pending = EMPTY;
  private int pendingLength;
  private boolean midLine;

  LineFormatter(OutputStreamKind kind) {
    this.kind = kind;
  }

  /** What a formatter remembers between two pieces of output. */
  static final class Snapshot {
    static final Snapshot CLEAN = new Snapshot(EMPTY, false);

    private final byte[] pending;
    private final boolean midLine;

    Snapshot(byte[] pending, boolean midLine) {
      this.pending = pending;
      this.midLine = midLine;
    }

    /** The unfinished line; not to be changed. */
    byte[] pending() {
      return pending;
    }

    /** Whether pieces of that line are in the log already. */
    boolean midLine() {
      return midLine;
    }
  }

  Snapshot snapshot() {
    return new Snapshot(Arrays.copyOf(pending, pendingLength), midLine);
  }

  void restore(Snapshot snapshot) {
    pending = snapshot.pending().clone();
    pendingLength = pending.length;
    midLine = snapshot.midLine();
  }

  /** Whether nothing needs to be remembered. */
  boolean isClean() {
    return pendingLength == 0 && !midLine;
  }

  /** Whether the log's last line of this stream is a piece that goes on. */
  boolean midLine() {
    return midLine;
  }

  /** Formats the remaining bytes of {@code in}; its byte order must be little endian. */
  void format(ByteBuffer in, String time, RecordOutput out) {
    assert in.order() == ByteOrder.LITTLE_ENDIAN;
    byte[] full = prefix(time, 'F');
    byte[] partial = prefix(time, 'P');
    int start = in.position();
    int limit = in.limit();
    while (start < limit) {
      int newline = indexOfNewline(in, start, limit);
      int end = newline < 0 ? limit : newline;
      while (pendingLength + (end - start) > MAX_LINE) {
        int piece = MAX_LINE - pendingLength;
        out.record(partial, pending, pendingLength, in, start, piece);
        pendingLength = 0;
        midLine = true;
        start += piece;
      }
      if (newline < 0) {
        keep(in, start, end - start);
        break;
      }
      finishLine(full, in, start, end, out);
      start = newline + 1;
    }
    in.position(limit);
    if (pendingLength == 0 && pending.length > 0) {
      pending = EMPTY;
    }
  }

  /** The stream has ended: an unfinished line is written as the piece it is. */
  void end(String time, RecordOutput out) {
    if (pendingLength > 0) {
      out.record(prefix(time, 'P'), pending, pendingLength, ByteBuffer.allocate(0), 0, 0);
    }
    pendingLength = 0;
    midLine = false;
    pending = EMPTY;
  }

  private void finishLine(byte[] full, ByteBuffer in, int start, int end, RecordOutput out) {
    int length = end - start;
    if (length > 0) {
      if (in.get(end - 1) == '\r') {
        length--;
      }
    } else if (pendingLength > 0 && pending[pendingLength - 1] == '\r') {
      pendingLength--;
    }
    out.record(full, pending, pendingLength, in, start, length);
    pendingLength = 0;
    midLine = false;
  }

  private void keep(ByteBuffer in, int start, int length) {
    int needed = pendingLength + length;
    if (needed > pending.length) {
      pending = Arrays.copyOf(pending, Math.min(MAX_LINE, Math.max(needed, pending.length * 2)));
    }
    in.get(start, pending, pendingLength, length);
    pendingLength = needed;
  }

  private byte[] prefix(String time, char tag) {
    return (time + ' ' + kind.label() + ' ' + tag + ' ').getBytes(StandardCharsets.US_ASCII);
  }

  /** Looks at eight bytes at a time: a byte that equals newline is the lowest zero of the xor. */
  private static int indexOfNewline(ByteBuffer in, int from, int limit) {
    int at = from;
    for (; at + 8 <= limit; at += 8) {
      long x = in.getLong(at) ^ NEWLINES;
      long zeros = (x - ONES) & ~x & HIGHS;
      if (zeros != 0) {
        return at + (Long.numberOfTrailingZeros(zeros) >>> 3);
      }
    }
    for (; at < limit; at++) {
      if (in.get(at) == '\n') {
        return at;
      }
    }
    return -1;
  }

  /** Takes finished log lines. */
  interface RecordOutput {
    /** One line: prefix, then {@code headLength} bytes of {@code head}, then a part of a buffer. */
    void record(byte[] prefix, byte[] head, int headLength, ByteBuffer in, int from, int length);
  }
}
