package io.jrt.core.io;

import io.jrt.core.TerminalSize;
import java.time.Duration;

/**
 * The streams of one running container: everything it prints goes to its log and to each attached
 * client; what clients type goes to its stdin.
 *
 * <p>Closing it, or the death of the daemon at any instruction, leaves the container and its pipes
 * as they are: the next {@link IoEngine#container} on the same descriptors goes on with the next
 * byte, also in the middle of a line. Each byte is logged once.
 */
public interface ContainerIo extends AutoCloseable {

  /**
   * Joins a client to the streams, from now on.
   *
   * <p>A client that takes no more holds the container's output back, log included, and with it the
   * container when its pipe is full, but not for ever: after {@link IoEngine#SLOW_CLIENT_LIMIT}
   * without a byte taken it is dropped, as a log that stands still harms more than a lost view.
   * What is in the pipe when the container ends it gets all the same.
   *
   * @throws io.jrt.errors.JrtException FAILED_PRECONDITION when the streams have ended
   */
  StreamSession attach(AttachRequest request, StreamClient client);

  /**
   * The same for a client that was there before the container was started: whoever runs a program
   * in the foreground holds it by not reading, for as long as that takes, and loses nothing.
   */
  StreamSession foreground(AttachRequest request, StreamClient client);

  /** Sets the size of the container's terminal; ignored where there is none. */
  void resize(TerminalSize size);

  /**
   * Goes on in a new file at the log's path, after the old one was renamed. The new file is opened
   * first; when that fails, the log goes on in the old one. No line is lost or split.
   */
  void reopenLog();

  /**
   * The container is over: logs what its pipes still hold, ends an unfinished line, ends the
   * clients, and closes everything. Waits for that.
   *
   * @param limit when some process still holds the pipes and keeps printing, stop after this long
   * @return whether all output was taken
   */
  boolean finish(Duration limit);

  /** How much went through so far. */
  IoStats stats();

  /** Lets go of the streams without ending them; clients are dropped. */
  @Override
  void close();

  /**
   * Bytes read from a container since this daemon knows it.
   *
   * @param droppedBytes bytes that could not be logged, as the disk was full or failing
   */
  record IoStats(long stdoutBytes, long stderrBytes, long droppedBytes) {}
}
