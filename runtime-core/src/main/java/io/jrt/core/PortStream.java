package io.jrt.core;

import java.io.InputStream;
import java.io.OutputStream;

/** A connection to a port inside a pod's network namespace. */
public interface PortStream extends AutoCloseable {
  InputStream input();

  OutputStream output();

  /** Tells the far end that nothing more will be sent; reading goes on. */
  void shutdownOutput();

  /** Closes both directions. */
  @Override
  void close();
}
