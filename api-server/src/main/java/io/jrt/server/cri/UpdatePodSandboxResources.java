package io.jrt.server.cri;

import io.jrt.core.ContainerRuntime;
import io.jrt.cri.v1.UpdatePodSandboxResourcesRequest;
import io.jrt.cri.v1.UpdatePodSandboxResourcesResponse;

/** Follows the kubelet's change of the pod's limits. */
final class UpdatePodSandboxResources {
  private final ContainerRuntime runtime;

  UpdatePodSandboxResources(ContainerRuntime runtime) {
    this.runtime = runtime;
  }

  UpdatePodSandboxResourcesResponse handle(UpdatePodSandboxResourcesRequest request) {
    runtime.updatePod(
        Requests.required(request.getPodSandboxId(), "pod_sandbox_id"),
        ResourcesTranslation.of(request.getOverhead()),
        ResourcesTranslation.of(request.getResources()));
    return UpdatePodSandboxResourcesResponse.getDefaultInstance();
  }
}
