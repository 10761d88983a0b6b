package io.jrt.core.plugin;

import io.jrt.core.ContainerConfig;
import io.jrt.core.ContainerState;
import io.jrt.core.LinuxResources;
import io.jrt.core.device.PluginEdits;
import io.jrt.core.launch.Rlimit;
import io.jrt.core.spec.ProcessPlan;
import io.jrt.core.spec.UserPlan;
import java.time.Instant;
import java.util.List;

/**
 * A container as plugins see it, and, while it is made, as they want it.
 *
 * @param config the request
 * @param process what it is to run, the image's part included
 * @param cdiDevices full names of its CDI devices
 * @param imageId its configuration's digest
 * @param imageRef its repository digest, or its id
 * @param cgroup from the hierarchy's root
 */
public record PluginContainer(
    String id,
    String podId,
    ContainerConfig config,
    ProcessPlan process,
    UserPlan user,
    List<String> cdiDevices,
    LinuxResources resources,
    List<PluginEdits> edits,
    List<Rlimit> rlimits,
    String imageId,
    String imageRef,
    String cgroup,
    Instant createdAt,
    ContainerState state) {
  public PluginContainer {
    cdiDevices = List.copyOf(cdiDevices);
    edits = List.copyOf(edits);
    rlimits = List.copyOf(rlimits);
  }
}
