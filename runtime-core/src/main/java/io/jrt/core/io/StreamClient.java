package io.jrt.core.io;

import io.jrt.core.TerminalSize;
import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * The far end of an exec or attach as the process's side sees it: a place for output that may ask
 * for a pause.
 *
 * <p>The calls come from threads of {@link IoEngine}, one at a time for each stream, and must not
 * block: a client that cannot take more says so and calls {@link StreamSession#resume} later.
 */
public interface StreamClient {

  /**
   * Takes a piece of output, always all of it.
   *
   * @param bytes the piece; the memory is reused when the call returns
   * @return whether more is welcome now; after {@code false} nothing comes on this stream until
   *     {@link StreamSession#resume}, and the process is held when its pipe is full
   */
  boolean output(OutputStreamKind stream, ByteBuffer bytes);

  /**
   * The stream has ended: nothing more comes on it. Called once for each output asked for; a client
   * that asked for stdin only is told for each that the process has.
   */
  void end(OutputStreamKind stream);

  /** The process takes input again, after {@link StreamSession#input} returned {@code false}. */
  void inputReady();

  /** The client was too slow for too long and is cut off; nothing more comes on any stream. */
  void dropped(String reason);

  /** The size of the client's window, when it is known before the process starts. */
  default Optional<TerminalSize> initialSize() {
    return Optional.empty();
  }
}
