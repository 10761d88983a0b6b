package io.jrt.server.cri;

import io.jrt.core.ContainerRuntime;
import io.jrt.cri.v1.PodSandboxStatsRequest;
import io.jrt.cri.v1.PodSandboxStatsResponse;

/** What a pod uses. */
final class PodSandboxStats {
  private final ContainerRuntime runtime;

  PodSandboxStats(ContainerRuntime runtime) {
    this.runtime = runtime;
  }

  PodSandboxStatsResponse handle(PodSandboxStatsRequest request) {
    return PodSandboxStatsResponse.newBuilder()
        .setStats(
            StatsTranslation.pod(
                runtime.podStats(Requests.required(request.getPodSandboxId(), "pod_sandbox_id"))))
        .build();
  }
}
