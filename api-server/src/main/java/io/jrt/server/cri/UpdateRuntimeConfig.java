package io.jrt.server.cri;

import io.jrt.core.ContainerRuntime;
import io.jrt.cri.v1.UpdateRuntimeConfigRequest;
import io.jrt.cri.v1.UpdateRuntimeConfigResponse;

/** Hears what the kubelet knows of the node: its addresses for pods. */
final class UpdateRuntimeConfig {
  private final ContainerRuntime runtime;

  UpdateRuntimeConfig(ContainerRuntime runtime) {
    this.runtime = runtime;
  }

  UpdateRuntimeConfigResponse handle(UpdateRuntimeConfigRequest request) {
    String cidr = request.getRuntimeConfig().getNetworkConfig().getPodCidr();
    if (!cidr.isEmpty()) {
      runtime.updatePodCidr(cidr);
    }
    return UpdateRuntimeConfigResponse.getDefaultInstance();
  }
}
