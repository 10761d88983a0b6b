package io.jrt.server.cri;

import io.jrt.core.ContainerRuntime;
import io.jrt.core.PodStatus;
import io.jrt.cri.v1.PodSandboxStatusRequest;
import io.jrt.cri.v1.PodSandboxStatusResponse;

/** A pod in full; with verbose, what people may want to know of it. */
final class PodSandboxStatus {
  private final ContainerRuntime runtime;

  PodSandboxStatus(ContainerRuntime runtime) {
    this.runtime = runtime;
  }

  PodSandboxStatusResponse handle(PodSandboxStatusRequest request) {
    String id = Requests.required(request.getPodSandboxId(), "pod_sandbox_id");
    PodStatus pod = runtime.podStatus(id);
    PodSandboxStatusResponse.Builder response =
        PodSandboxStatusResponse.newBuilder()
            .setStatus(PodTranslation.status(pod))
            .addAllContainersStatuses(
                pod.containers().stream().map(ContainerTranslation::status).toList())
            .setTimestamp(Times.nanos(pod.timestamp()));
    if (request.getVerbose()) {
      response.putInfo("info", runtime.inspectPod(pod.id()));
    }
    return response.build();
  }
}
