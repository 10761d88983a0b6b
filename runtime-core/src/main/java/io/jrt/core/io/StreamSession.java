package io.jrt.core.io;

import io.jrt.core.TerminalSize;
import java.nio.ByteBuffer;

/**
 * A client's hold on the streams of a running process. All calls return at once and may come from
 * any thread; after {@link #close} they do nothing.
 */
public interface StreamSession extends AutoCloseable {

  /** Output of this stream is welcome again. */
  void resume(OutputStreamKind stream);

  /**
   * Gives the process input. All of the bytes are taken: what its pipe has no room for is copied
   * and written later.
   *
   * @return whether more may follow now; after {@code false}, hold it until {@link
   *     StreamClient#inputReady}, so that at most one piece lies in memory
   */
  boolean input(ByteBuffer bytes);

  /**
   * The client will send no more input. The process sees the end of its stdin after what was
   * written before, unless its stdin outlives clients (a container without {@code stdin_once}) or
   * is a terminal.
   */
  void endInput();

  /** Sets the size of the terminal; ignored where there is none. */
  void resize(TerminalSize size);

  /**
   * The client leaves. A container goes on as if nothing had happened; a command loses its stdin
   * and its terminal, and what it still prints is thrown away.
   */
  @Override
  void close();
}
