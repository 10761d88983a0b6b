package io.jrt.server;

import io.jrt.core.ContainerRuntime;
import io.jrt.core.ExecRequest;
import io.jrt.core.io.AttachRequest;
import io.jrt.core.io.ExecSession;
import io.jrt.core.io.StreamClient;
import io.jrt.core.io.StreamSession;
import io.jrt.linux.Fd;
import io.jrt.server.streaming.StreamingBackend;

/** The runtime as the streaming server sees it. */
record RuntimeStreams(ContainerRuntime runtime) implements StreamingBackend {

  @Override
  public ExecSession exec(String containerId, ExecRequest request, StreamClient client) {
    return runtime.exec(containerId, request, client);
  }

  @Override
  public StreamSession attach(String containerId, AttachRequest request, StreamClient client) {
    return runtime.attach(containerId, request, client);
  }

  @Override
  public Fd portForward(String podId, int port) {
    return runtime.portForward(podId, port);
  }
}
