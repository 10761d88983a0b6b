package io.jrt.cli.rpc;

import java.io.IOException;

/** The peer does not speak HTTP/2 or gRPC as agreed. */
public final class ProtocolException extends IOException {
  private static final long serialVersionUID = 1L;

  public ProtocolException(String message) {
    super(message);
  }
}
