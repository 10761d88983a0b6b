package io.jrt.core.io;

/** A client's hold on a command that was started for it. */
public interface ExecSession extends StreamSession {

  /**
   * Waits until the command has ended and all its output was handed to the client or the client is
   * gone.
   *
   * @return its exit code; 128 + the signal's number when a signal ended it
   */
  int awaitExit() throws InterruptedException;
}
