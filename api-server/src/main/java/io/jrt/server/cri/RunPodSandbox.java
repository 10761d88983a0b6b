package io.jrt.server.cri;

import io.jrt.core.ContainerRuntime;
import io.jrt.core.Deadline;
import io.jrt.cri.v1.RunPodSandboxRequest;
import io.jrt.cri.v1.RunPodSandboxResponse;

/** Makes a pod, ready for containers. */
final class RunPodSandbox {
  private final ContainerRuntime runtime;

  RunPodSandbox(ContainerRuntime runtime) {
    this.runtime = runtime;
  }

  RunPodSandboxResponse handle(RunPodSandboxRequest request, Deadline deadline) {
    String id =
        runtime.runPod(
            PodTranslation.config(request.getConfig()), request.getRuntimeHandler(), deadline);
    return RunPodSandboxResponse.newBuilder().setPodSandboxId(id).build();
  }
}
