package io.jrt.server.cri;

import io.jrt.core.ContainerRuntime;
import io.jrt.core.Deadline;
import io.jrt.cri.v1.StopContainerRequest;
import io.jrt.cri.v1.StopContainerResponse;
import java.time.Duration;

/** Asks a container to end, and kills it after the time given. */
final class StopContainer {
  /** A century: what is longer means the same and would overflow sums of times. */
  private static final long MAX_GRACE_SECONDS = 3_155_760_000L;

  private final ContainerRuntime runtime;

  StopContainer(ContainerRuntime runtime) {
    this.runtime = runtime;
  }

  StopContainerResponse handle(StopContainerRequest request, Deadline deadline) {
    runtime.stopContainer(
        Requests.required(request.getContainerId(), "container_id"),
        Duration.ofSeconds(Math.clamp(request.getTimeout(), 0, MAX_GRACE_SECONDS)),
        deadline);
    return StopContainerResponse.getDefaultInstance();
  }
}
