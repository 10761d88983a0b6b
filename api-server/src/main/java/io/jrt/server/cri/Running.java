package io.jrt.server.cri;

import io.jrt.core.ContainerRuntime;
import io.jrt.core.ContainerState;
import io.jrt.core.ContainerStatus;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;

/** Refuses what needs a running container before a URL for it is given out. */
final class Running {
  private Running() {}

  static ContainerStatus require(ContainerRuntime runtime, String id, String step) {
    ContainerStatus container = runtime.containerStatus(Requests.required(id, "container_id"));
    if (!(container.state() instanceof ContainerState.Running)) {
      throw new JrtException(
          ErrorKind.FAILED_PRECONDITION, step, "container " + container.id() + " is not running");
    }
    return container;
  }

  /** Who attaches before the start misses no byte. */
  static ContainerStatus orCreated(ContainerRuntime runtime, String id, String step) {
    ContainerStatus container = runtime.containerStatus(Requests.required(id, "container_id"));
    return container.state() instanceof ContainerState.Created
        ? container
        : require(runtime, id, step);
  }
}
