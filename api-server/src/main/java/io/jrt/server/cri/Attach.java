package io.jrt.server.cri;

import io.jrt.core.ContainerRuntime;
import io.jrt.core.ContainerStatus;
import io.jrt.cri.v1.AttachRequest;
import io.jrt.cri.v1.AttachResponse;
import io.jrt.server.streaming.StreamingServer;
import java.net.URI;

/** Gives a URL at which a client's streams meet those of a container. */
final class Attach {
  private final ContainerRuntime runtime;
  private final StreamingServer streaming;

  Attach(ContainerRuntime runtime, StreamingServer streaming) {
    this.runtime = runtime;
    this.streaming = streaming;
  }

  AttachResponse handle(AttachRequest request) {
    if (request.getTty() && request.getStderr()) {
      throw Requests.invalid("tty and stderr exclude each other");
    }
    if (!request.getStdin() && !request.getStdout() && !request.getStderr()) {
      throw Requests.invalid("one of stdin, stdout and stderr must be asked for");
    }
    ContainerStatus container = Running.orCreated(runtime, request.getContainerId(), "attach");
    if (request.getTty() != container.config().tty()) {
      throw Requests.invalid(
          "tty is %s, but container %s was created with tty %s"
              .formatted(request.getTty(), container.id(), container.config().tty()));
    }
    URI url =
        streaming.attach(
            container.id(),
            new io.jrt.core.io.AttachRequest(
                request.getStdin(), request.getStdout(), request.getStderr()),
            request.getTty());
    return AttachResponse.newBuilder().setUrl(url.toString()).build();
  }
}
