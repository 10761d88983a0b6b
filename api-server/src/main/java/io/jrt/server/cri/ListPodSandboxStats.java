package io.jrt.server.cri;

import io.jrt.core.ContainerRuntime;
import io.jrt.cri.v1.ListPodSandboxStatsRequest;
import io.jrt.cri.v1.ListPodSandboxStatsResponse;

/** What the ready pods that match use. */
final class ListPodSandboxStats {
  private final ContainerRuntime runtime;

  ListPodSandboxStats(ContainerRuntime runtime) {
    this.runtime = runtime;
  }

  ListPodSandboxStatsResponse handle(ListPodSandboxStatsRequest request) {
    return ListPodSandboxStatsResponse.newBuilder()
        .addAllStats(
            runtime.podStats(PodTranslation.filter(request.getFilter())).stream()
                .map(StatsTranslation::pod)
                .toList())
        .build();
  }
}
