package io.jrt.core.io;

import java.nio.ByteBuffer;

/** One client's view of one output. */
interface OutputSubscriber {
  void output(ByteBuffer bytes);

  boolean isPaused();

  /** For how many nanoseconds it has been paused; 0 when it is not, or may be for ever. */
  long pausedFor(long now);

  void drop(String reason);

  /**
   * The stream is over.
   *
   * @param drained false when the daemon lets go of a stream that may go on
   */
  void end(boolean drained);
}
