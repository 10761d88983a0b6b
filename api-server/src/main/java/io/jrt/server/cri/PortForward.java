package io.jrt.server.cri;

import io.jrt.core.ContainerRuntime;
import io.jrt.core.PodState;
import io.jrt.core.PodStatus;
import io.jrt.cri.v1.PortForwardRequest;
import io.jrt.cri.v1.PortForwardResponse;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.server.streaming.StreamingServer;
import java.net.URI;

/** Gives a URL at which a client's streams meet ports of a pod. */
final class PortForward {
  private final ContainerRuntime runtime;
  private final StreamingServer streaming;

  PortForward(ContainerRuntime runtime, StreamingServer streaming) {
    this.runtime = runtime;
    this.streaming = streaming;
  }

  PortForwardResponse handle(PortForwardRequest request) {
    String id = Requests.required(request.getPodSandboxId(), "pod_sandbox_id");
    for (int port : request.getPortList()) {
      if (port < 1 || port > 65_535) {
        throw Requests.invalid("port " + port + " is none");
      }
    }
    PodStatus pod = runtime.podStatus(id);
    if (pod.state() != PodState.READY) {
      throw new JrtException(
          ErrorKind.FAILED_PRECONDITION, "port-forward", "pod " + pod.id() + " is not ready");
    }
    URI url = streaming.portForward(pod.id(), request.getPortList());
    return PortForwardResponse.newBuilder().setUrl(url.toString()).build();
  }
}
