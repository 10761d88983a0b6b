package io.jrt.server.cri;

import io.grpc.stub.StreamObserver;
import io.jrt.core.ContainerRuntime;
import io.jrt.cri.v1.StreamPodSandboxStatsRequest;
import io.jrt.cri.v1.StreamPodSandboxStatsResponse;
import io.jrt.server.rpc.Answers;

/** What the ready pods that match use. In pieces. */
final class StreamPodSandboxStats {
  private final ContainerRuntime runtime;

  StreamPodSandboxStats(ContainerRuntime runtime) {
    this.runtime = runtime;
  }

  void handle(
      StreamPodSandboxStatsRequest request, StreamObserver<StreamPodSandboxStatsResponse> client) {
    Answers.chunks(
        client,
        runtime.podStats(PodTranslation.filter(request.getFilter())).stream()
            .map(StatsTranslation::pod)
            .toList(),
        items -> StreamPodSandboxStatsResponse.newBuilder().addAllPodSandboxStats(items).build());
  }
}
