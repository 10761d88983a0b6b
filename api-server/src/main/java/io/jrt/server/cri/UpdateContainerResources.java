package io.jrt.server.cri;

import io.jrt.core.ContainerRuntime;
import io.jrt.cri.v1.UpdateContainerResourcesRequest;
import io.jrt.cri.v1.UpdateContainerResourcesResponse;

/** Changes the limits of a container: all of them or none. */
final class UpdateContainerResources {
  private final ContainerRuntime runtime;

  UpdateContainerResources(ContainerRuntime runtime) {
    this.runtime = runtime;
  }

  UpdateContainerResourcesResponse handle(UpdateContainerResourcesRequest request) {
    runtime.updateContainer(
        Requests.required(request.getContainerId(), "container_id"),
        ResourcesTranslation.of(request.getLinux()),
        request.getAnnotationsMap());
    return UpdateContainerResourcesResponse.getDefaultInstance();
  }
}
