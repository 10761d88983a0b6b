package io.jrt.server.cri;

import io.jrt.core.ContainerRuntime;
import io.jrt.cri.v1.CgroupDriver;
import io.jrt.cri.v1.LinuxRuntimeConfiguration;
import io.jrt.cri.v1.RuntimeConfigRequest;
import io.jrt.cri.v1.RuntimeConfigResponse;

/** Tells the kubelet whose the cgroups are. */
final class RuntimeConfig {
  private final ContainerRuntime runtime;

  RuntimeConfig(ContainerRuntime runtime) {
    this.runtime = runtime;
  }

  RuntimeConfigResponse handle(RuntimeConfigRequest request) {
    boolean systemd = runtime.info().cgroupDriver().equals("systemd");
    return RuntimeConfigResponse.newBuilder()
        .setLinux(
            LinuxRuntimeConfiguration.newBuilder()
                .setCgroupDriver(systemd ? CgroupDriver.SYSTEMD : CgroupDriver.CGROUPFS))
        .build();
  }
}
