package io.jrt.server.cri;

import io.jrt.core.ContainerRuntime;
import io.jrt.cri.v1.ListContainersRequest;
import io.jrt.cri.v1.ListContainersResponse;

/** The containers that match, from memory. */
final class ListContainers {
  private final ContainerRuntime runtime;

  ListContainers(ContainerRuntime runtime) {
    this.runtime = runtime;
  }

  ListContainersResponse handle(ListContainersRequest request) {
    return ListContainersResponse.newBuilder()
        .addAllContainers(
            runtime.containers(ContainerTranslation.filter(request.getFilter())).stream()
                .map(ContainerTranslation::summary)
                .toList())
        .build();
  }
}
