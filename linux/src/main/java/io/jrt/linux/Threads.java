package io.jrt.linux;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;

/** Starts platform threads, of which a daemon may have only so many. */
public final class Threads {
  private Threads() {}

  /**
   * Starts a platform thread.
   *
   * @throws JrtException EXHAUSTED when the daemon may have no more of them; Java's error would
   *     pass by those who undo what they began
   */
  public static Thread start(Thread thread) {
    try {
      thread.start();
      return thread;
    } catch (OutOfMemoryError e) {
      throw new JrtException(
          ErrorKind.EXHAUSTED,
          "start thread",
          "thread %s cannot be started: %s".formatted(thread.getName(), e.getMessage()),
          "the daemon's limit of tasks may be reached (TasksMax, pids.max)",
          e);
    }
  }
}
