package io.jrt.server.cri;

import io.jrt.core.ContainerRuntime;
import io.jrt.core.Deadline;
import io.jrt.cri.v1.StopPodSandboxRequest;
import io.jrt.cri.v1.StopPodSandboxResponse;

/** Kills what runs in the pod and frees its network. */
final class StopPodSandbox {
  private final ContainerRuntime runtime;

  StopPodSandbox(ContainerRuntime runtime) {
    this.runtime = runtime;
  }

  StopPodSandboxResponse handle(StopPodSandboxRequest request, Deadline deadline) {
    runtime.stopPod(Requests.required(request.getPodSandboxId(), "pod_sandbox_id"), deadline);
    return StopPodSandboxResponse.getDefaultInstance();
  }
}
