package io.jrt.server.cri;

import io.grpc.stub.StreamObserver;
import io.jrt.core.ContainerRuntime;
import io.jrt.cri.v1.StreamPodSandboxesRequest;
import io.jrt.cri.v1.StreamPodSandboxesResponse;
import io.jrt.server.rpc.Answers;

/** The pods that match, from memory. In pieces. */
final class StreamPodSandboxes {
  private final ContainerRuntime runtime;

  StreamPodSandboxes(ContainerRuntime runtime) {
    this.runtime = runtime;
  }

  void handle(
      StreamPodSandboxesRequest request, StreamObserver<StreamPodSandboxesResponse> client) {
    Answers.chunks(
        client,
        runtime.pods(PodTranslation.filter(request.getFilter())).stream()
            .map(PodTranslation::summary)
            .toList(),
        items -> StreamPodSandboxesResponse.newBuilder().addAllPodSandboxes(items).build());
  }
}
