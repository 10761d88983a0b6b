package io.jrt.server.cri;

import io.jrt.core.ContainerRuntime;
import io.jrt.core.Deadline;
import io.jrt.cri.v1.CreateContainerRequest;
import io.jrt.cri.v1.CreateContainerResponse;

/** Makes a container in a pod, from an image that is here. */
final class CreateContainer {
  private final ContainerRuntime runtime;

  CreateContainer(ContainerRuntime runtime) {
    this.runtime = runtime;
  }

  CreateContainerResponse handle(CreateContainerRequest request, Deadline deadline) {
    String id =
        runtime.createContainer(
            Requests.required(request.getPodSandboxId(), "pod_sandbox_id"),
            ContainerTranslation.config(request.getConfig()),
            deadline);
    return CreateContainerResponse.newBuilder().setContainerId(id).build();
  }
}
