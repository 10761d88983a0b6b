package io.jrt.server.streaming;

import io.jrt.core.ExecRequest;
import io.jrt.core.io.AttachRequest;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.net.URI;
import java.util.List;

/**
 * Serves exec, attach and port-forward over SPDY/3.1 and WebSocket.
 *
 * <p>The gRPC calls leave what was asked for here and give the client a URL with a random token;
 * the first request to that URL within {@link StreamingConfig#tokenLifetime} gets it. What the
 * URL's query says is never looked at.
 */
@SuppressWarnings("DoNotCallSuggester") // until the bodies are in
public final class StreamingServer implements AutoCloseable {

  private StreamingServer() {}

  /** Listens. */
  public static StreamingServer start(StreamingConfig config, StreamingBackend backend) {
    throw new JrtException(ErrorKind.UNIMPLEMENTED, "start streaming server", "not built yet");
  }

  /**
   * A URL that runs the command once.
   *
   * @throws JrtException EXHAUSTED when a thousand URLs wait for their clients; INVALID when the
   *     streams asked for make no sense
   */
  public URI exec(String containerId, ExecRequest request) {
    throw new JrtException(ErrorKind.UNIMPLEMENTED, "exec", "not built yet");
  }

  /**
   * A URL that attaches once.
   *
   * @param tty whether the container has a terminal
   */
  public URI attach(String containerId, AttachRequest request, boolean tty) {
    throw new JrtException(ErrorKind.UNIMPLEMENTED, "attach", "not built yet");
  }

  /**
   * A URL over which ports of the pod can be reached.
   *
   * @param ports those that a WebSocket client will use; SPDY clients name theirs as they go
   */
  public URI portForward(String podId, List<Integer> ports) {
    throw new JrtException(ErrorKind.UNIMPLEMENTED, "port-forward", "not built yet");
  }

  /** Stops listening and closes every connection. */
  @Override
  public void close() {}
}
