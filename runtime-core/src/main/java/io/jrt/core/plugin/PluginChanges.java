package io.jrt.core.plugin;

import io.jrt.core.ContainerConfig;
import io.jrt.core.device.PluginEdits;
import io.jrt.core.launch.Rlimit;
import java.util.List;
import java.util.Optional;

/**
 * What plugins changed in a container that goes beyond what a request can say.
 *
 * @param requested the request as it came, where plugins changed it
 * @param edits device files, mounts, hooks and the like, in the order of the plugins
 * @param rlimits limits of the container's processes
 */
public record PluginChanges(
    Optional<ContainerConfig> requested, List<PluginEdits> edits, List<Rlimit> rlimits) {
  public static final PluginChanges NONE =
      new PluginChanges(Optional.empty(), List.of(), List.of());

  public PluginChanges {
    edits = List.copyOf(edits);
    rlimits = List.copyOf(rlimits);
  }
}
