package io.jrt.server.cri;

import io.grpc.stub.StreamObserver;
import io.jrt.core.ContainerRuntime;
import io.jrt.cri.v1.StreamContainerStatsRequest;
import io.jrt.cri.v1.StreamContainerStatsResponse;
import io.jrt.server.rpc.Answers;

/** What the running containers that match use. In pieces. */
final class StreamContainerStats {
  private final ContainerRuntime runtime;

  StreamContainerStats(ContainerRuntime runtime) {
    this.runtime = runtime;
  }

  void handle(
      StreamContainerStatsRequest request, StreamObserver<StreamContainerStatsResponse> client) {
    Answers.chunks(
        client,
        runtime.containerStats(ContainerTranslation.filter(request.getFilter())).stream()
            .map(StatsTranslation::container)
            .toList(),
        items -> StreamContainerStatsResponse.newBuilder().addAllContainerStats(items).build());
  }
}
