package io.jrt.server.cri;

import io.jrt.core.ContainerRuntime;
import io.jrt.core.Deadline;
import io.jrt.cri.v1.StartContainerRequest;
import io.jrt.cri.v1.StartContainerResponse;

/** Starts a created container. */
final class StartContainer {
  private final ContainerRuntime runtime;

  StartContainer(ContainerRuntime runtime) {
    this.runtime = runtime;
  }

  StartContainerResponse handle(StartContainerRequest request, Deadline deadline) {
    runtime.startContainer(Requests.required(request.getContainerId(), "container_id"), deadline);
    return StartContainerResponse.getDefaultInstance();
  }
}
