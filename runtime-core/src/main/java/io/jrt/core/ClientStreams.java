package io.jrt.core;

import java.io.InputStream;
import java.io.OutputStream;
import java.util.Optional;

/**
 * The far end of an exec or attach: what the client types and where output goes.
 *
 * <p>Reads and writes block their (virtual) thread. An {@code IOException} of a write means that
 * the client left; end of {@code stdin} means that it closed its side.
 */
public interface ClientStreams {
  /** What the client types; empty when it asked for no stdin. */
  Optional<InputStream> stdin();

  /** Where output goes; empty when the client does not want it. */
  Optional<OutputStream> stdout();

  /** Where error output goes; empty when the client does not want it, and with a terminal. */
  Optional<OutputStream> stderr();

  /** Waits for the next window size; empty when there will be none any more. */
  Optional<TerminalSize> nextSize() throws InterruptedException;
}
