package io.jrt.core.plugin;

import io.jrt.core.PodConfig;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * A pod sandbox as plugins see it.
 *
 * @param cgroup from the hierarchy's root
 * @param ips its addresses, the main one first
 * @param namespaces where the namespaces it holds are pinned, by their OCI names
 */
public record PluginPod(
    String id,
    PodConfig config,
    String runtimeHandler,
    String cgroup,
    List<String> ips,
    Map<String, Path> namespaces) {
  public PluginPod {
    ips = List.copyOf(ips);
    namespaces = Map.copyOf(namespaces);
  }
}
