package io.jrt.server.cri;

import io.jrt.core.ContainerRuntime;
import io.jrt.cri.v1.ReopenContainerLogRequest;
import io.jrt.cri.v1.ReopenContainerLogResponse;

/** Opens the log file anew after the kubelet renamed it. */
final class ReopenContainerLog {
  private final ContainerRuntime runtime;

  ReopenContainerLog(ContainerRuntime runtime) {
    this.runtime = runtime;
  }

  ReopenContainerLogResponse handle(ReopenContainerLogRequest request) {
    runtime.reopenLog(Requests.required(request.getContainerId(), "container_id"));
    return ReopenContainerLogResponse.getDefaultInstance();
  }
}
