package io.jrt.server.cri;

import io.jrt.core.ContainerRuntime;
import io.jrt.cri.v1.ListContainerStatsRequest;
import io.jrt.cri.v1.ListContainerStatsResponse;

/** What the running containers that match use. */
final class ListContainerStats {
  private final ContainerRuntime runtime;

  ListContainerStats(ContainerRuntime runtime) {
    this.runtime = runtime;
  }

  ListContainerStatsResponse handle(ListContainerStatsRequest request) {
    return ListContainerStatsResponse.newBuilder()
        .addAllStats(
            runtime.containerStats(ContainerTranslation.filter(request.getFilter())).stream()
                .map(StatsTranslation::container)
                .toList())
        .build();
  }
}
