package io.jrt.server.cri;

import io.grpc.stub.StreamObserver;
import io.jrt.core.ContainerRuntime;
import io.jrt.core.PodFilter;
import io.jrt.core.PodState;
import io.jrt.cri.v1.StreamPodSandboxMetricsRequest;
import io.jrt.cri.v1.StreamPodSandboxMetricsResponse;
import io.jrt.server.rpc.Answers;
import java.util.Map;
import java.util.Optional;

/** The metrics of every ready pod. In pieces. */
final class StreamPodSandboxMetrics {
  private final ContainerRuntime runtime;

  StreamPodSandboxMetrics(ContainerRuntime runtime) {
    this.runtime = runtime;
  }

  void handle(
      StreamPodSandboxMetricsRequest request,
      StreamObserver<StreamPodSandboxMetricsResponse> client) {
    Answers.chunks(
        client,
        PodMetrics.of(
            runtime.podMeasurements(new PodFilter("", Optional.of(PodState.READY), Map.of()))),
        items ->
            StreamPodSandboxMetricsResponse.newBuilder().addAllPodSandboxMetrics(items).build());
  }
}
