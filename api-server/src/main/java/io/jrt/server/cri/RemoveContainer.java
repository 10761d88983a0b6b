package io.jrt.server.cri;

import io.jrt.core.ContainerRuntime;
import io.jrt.core.Deadline;
import io.jrt.cri.v1.RemoveContainerRequest;
import io.jrt.cri.v1.RemoveContainerResponse;

/** Removes a container; one that runs is killed first. */
final class RemoveContainer {
  private final ContainerRuntime runtime;

  RemoveContainer(ContainerRuntime runtime) {
    this.runtime = runtime;
  }

  RemoveContainerResponse handle(RemoveContainerRequest request, Deadline deadline) {
    runtime.removeContainer(Requests.required(request.getContainerId(), "container_id"), deadline);
    return RemoveContainerResponse.getDefaultInstance();
  }
}
