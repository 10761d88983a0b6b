package io.jrt.server.cri;

import io.grpc.stub.StreamObserver;
import io.jrt.core.ContainerRuntime;
import io.jrt.cri.v1.StreamContainersRequest;
import io.jrt.cri.v1.StreamContainersResponse;
import io.jrt.server.rpc.Answers;

/** The containers that match, from memory. In pieces. */
final class StreamContainers {
  private final ContainerRuntime runtime;

  StreamContainers(ContainerRuntime runtime) {
    this.runtime = runtime;
  }

  void handle(StreamContainersRequest request, StreamObserver<StreamContainersResponse> client) {
    Answers.chunks(
        client,
        runtime.containers(ContainerTranslation.filter(request.getFilter())).stream()
            .map(ContainerTranslation::summary)
            .toList(),
        items -> StreamContainersResponse.newBuilder().addAllContainers(items).build());
  }
}
