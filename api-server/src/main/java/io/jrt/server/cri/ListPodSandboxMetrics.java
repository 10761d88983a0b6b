package io.jrt.server.cri;

import io.jrt.core.ContainerRuntime;
import io.jrt.core.PodFilter;
import io.jrt.core.PodState;
import io.jrt.cri.v1.ListPodSandboxMetricsRequest;
import io.jrt.cri.v1.ListPodSandboxMetricsResponse;
import java.util.Map;
import java.util.Optional;

/** The metrics of every ready pod. */
final class ListPodSandboxMetrics {
  private final ContainerRuntime runtime;

  ListPodSandboxMetrics(ContainerRuntime runtime) {
    this.runtime = runtime;
  }

  ListPodSandboxMetricsResponse handle(ListPodSandboxMetricsRequest request) {
    return ListPodSandboxMetricsResponse.newBuilder()
        .addAllPodMetrics(
            PodMetrics.of(
                runtime.podMeasurements(new PodFilter("", Optional.of(PodState.READY), Map.of()))))
        .build();
  }
}
