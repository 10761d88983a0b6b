package io.jrt.server.cri;

import io.jrt.core.ContainerRuntime;
import io.jrt.cri.v1.ContainerStatusRequest;
import io.jrt.cri.v1.ContainerStatusResponse;

/** A container in full; with verbose, what people may want to know of it. */
final class ContainerStatus {
  private final ContainerRuntime runtime;

  ContainerStatus(ContainerRuntime runtime) {
    this.runtime = runtime;
  }

  ContainerStatusResponse handle(ContainerStatusRequest request) {
    String id = Requests.required(request.getContainerId(), "container_id");
    io.jrt.core.ContainerStatus container = runtime.containerStatus(id);
    ContainerStatusResponse.Builder response =
        ContainerStatusResponse.newBuilder().setStatus(ContainerTranslation.status(container));
    if (request.getVerbose()) {
      response.putInfo("info", runtime.inspectContainer(container.id()));
    }
    return response.build();
  }
}
