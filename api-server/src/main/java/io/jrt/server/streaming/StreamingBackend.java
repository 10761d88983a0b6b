package io.jrt.server.streaming;

import io.jrt.core.ExecRequest;
import io.jrt.core.io.AttachRequest;
import io.jrt.core.io.ExecSession;
import io.jrt.core.io.StreamClient;
import io.jrt.core.io.StreamSession;
import io.jrt.linux.Fd;

/**
 * What the streaming server needs of the runtime. The calls may block (they come on virtual
 * threads) and fail with {@link io.jrt.errors.JrtException}; the sessions they return do not block.
 */
public interface StreamingBackend {

  /** Starts a command in a container with the client's streams. */
  ExecSession exec(String containerId, ExecRequest request, StreamClient client);

  /** Joins the client to a container's streams. */
  StreamSession attach(String containerId, AttachRequest request, StreamClient client);

  /**
   * Connects to a TCP port on localhost inside the pod's network namespace, IPv4 before IPv6. The
   * caller owns the connected socket, which is non-blocking.
   */
  Fd portForward(String podId, int port);
}
