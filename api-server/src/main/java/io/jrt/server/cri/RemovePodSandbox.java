package io.jrt.server.cri;

import io.jrt.core.ContainerRuntime;
import io.jrt.core.Deadline;
import io.jrt.cri.v1.RemovePodSandboxRequest;
import io.jrt.cri.v1.RemovePodSandboxResponse;

/** Removes a pod with all its containers. */
final class RemovePodSandbox {
  private final ContainerRuntime runtime;

  RemovePodSandbox(ContainerRuntime runtime) {
    this.runtime = runtime;
  }

  RemovePodSandboxResponse handle(RemovePodSandboxRequest request, Deadline deadline) {
    runtime.removePod(Requests.required(request.getPodSandboxId(), "pod_sandbox_id"), deadline);
    return RemovePodSandboxResponse.getDefaultInstance();
  }
}
