package io.jrt.core.launch;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * A message of jrt-init: {@code struct report} of jrt-init.c.
 *
 * @param step number of a {@link Step}
 * @param errno of the failed call
 * @param index which of the step's things
 * @param extra what more is known
 */
record Report(Kind kind, int step, int errno, int index, int extra, String text) {
  static final int BYTES = 256;

  /** What it is about; the order is that of the numbers, from 1. */
  enum Kind {
    FAILED,
    PID,
    TERMINAL,
    CLAMPED,
    STARTED,
    EXITED,
    HOOKS
  }

  static Report parse(ByteBuffer message) {
    message.order(ByteOrder.nativeOrder());
    int kind = message.getInt();
    int step = message.getInt();
    int errno = message.getInt();
    int index = message.getInt();
    int extra = message.getInt();
    byte[] text = new byte[message.remaining()];
    message.get(text);
    int length = 0;
    while (length < text.length && text[length] != 0) {
      length++;
    }
    return new Report(
        Kind.values()[kind - 1],
        step,
        errno,
        index,
        extra,
        new String(text, 0, length, StandardCharsets.UTF_8));
  }
}
