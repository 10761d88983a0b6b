package io.jrt.core.io;

import java.nio.ByteBuffer;

/** The buffers of one of the engine's threads, shared by all streams that it serves in turn. */
final class IoWorker {
  private final Landing landing;
  private final ByteBuffer scratch = ByteBuffer.allocateDirect(Landing.CAPACITY);
  private final ByteBuffer lines = newLines();

  IoWorker(Landing landing) {
    this.landing = landing;
  }

  /** Large enough for a batch of lines of 20 bytes each with what the log adds to them. */
  static ByteBuffer newLines() {
    return ByteBuffer.allocateDirect(256 * 1024);
  }

  /** Where output is read to that must not get lost. */
  Landing landing() {
    return landing;
  }

  /** Where all other output is read to. */
  ByteBuffer scratch() {
    return scratch;
  }

  /** For lines of a log. */
  ByteBuffer lines() {
    return lines;
  }
}
