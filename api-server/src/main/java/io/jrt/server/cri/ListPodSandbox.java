package io.jrt.server.cri;

import io.jrt.core.ContainerRuntime;
import io.jrt.cri.v1.ListPodSandboxRequest;
import io.jrt.cri.v1.ListPodSandboxResponse;

/** The pods that match, from memory. */
final class ListPodSandbox {
  private final ContainerRuntime runtime;

  ListPodSandbox(ContainerRuntime runtime) {
    this.runtime = runtime;
  }

  ListPodSandboxResponse handle(ListPodSandboxRequest request) {
    return ListPodSandboxResponse.newBuilder()
        .addAllItems(
            runtime.pods(PodTranslation.filter(request.getFilter())).stream()
                .map(PodTranslation::summary)
                .toList())
        .build();
  }
}
