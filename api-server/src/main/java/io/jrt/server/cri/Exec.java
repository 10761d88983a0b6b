package io.jrt.server.cri;

import io.jrt.core.Bytes;
import io.jrt.core.ContainerRuntime;
import io.jrt.core.ContainerStatus;
import io.jrt.cri.v1.ExecRequest;
import io.jrt.cri.v1.ExecResponse;
import io.jrt.server.streaming.StreamingServer;
import java.net.URI;

/** Gives a URL at which a client's streams meet a command in a container. */
final class Exec {
  private final ContainerRuntime runtime;
  private final StreamingServer streaming;

  Exec(ContainerRuntime runtime, StreamingServer streaming) {
    this.runtime = runtime;
    this.streaming = streaming;
  }

  ExecResponse handle(ExecRequest request) {
    if (request.getCmdCount() == 0) {
      throw Requests.invalid("cmd is empty");
    }
    if (request.getTty() && request.getStderr()) {
      throw Requests.invalid("tty and stderr exclude each other");
    }
    if (!request.getStdin() && !request.getStdout() && !request.getStderr()) {
      throw Requests.invalid("one of stdin, stdout and stderr must be asked for");
    }
    ContainerStatus container = Running.require(runtime, request.getContainerId(), "exec");
    URI url =
        streaming.exec(
            container.id(),
            new io.jrt.core.ExecRequest(
                Bytes.listOf(request.getCmdList()),
                request.getTty(),
                request.getStdin(),
                request.getStdout(),
                request.getStderr()));
    return ExecResponse.newBuilder().setUrl(url.toString()).build();
  }
}
