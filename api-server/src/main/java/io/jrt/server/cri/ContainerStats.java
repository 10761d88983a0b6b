package io.jrt.server.cri;

import io.jrt.core.ContainerRuntime;
import io.jrt.cri.v1.ContainerStatsRequest;
import io.jrt.cri.v1.ContainerStatsResponse;

/** What a container uses. */
final class ContainerStats {
  private final ContainerRuntime runtime;

  ContainerStats(ContainerRuntime runtime) {
    this.runtime = runtime;
  }

  ContainerStatsResponse handle(ContainerStatsRequest request) {
    return ContainerStatsResponse.newBuilder()
        .setStats(
            StatsTranslation.container(
                runtime.containerStats(
                    Requests.required(request.getContainerId(), "container_id"))))
        .build();
  }
}
