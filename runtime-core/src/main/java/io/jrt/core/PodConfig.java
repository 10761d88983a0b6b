package io.jrt.core;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * All that is asked of a pod sandbox. What the kubelet says here is policy; none of it comes from
 * an image.
 *
 * @param logDirectory absolute, or empty for no logs
 * @param cgroupParent in cgroupfs syntax, or a slice name with the systemd driver; empty for jrt's
 *     own
 */
public record PodConfig(
    PodMetadata metadata,
    String hostname,
    String logDirectory,
    Optional<DnsConfig> dns,
    List<PortMapping> portMappings,
    Map<String, String> labels,
    Map<String, String> annotations,
    String cgroupParent,
    PodSecurity security,
    Map<String, String> sysctls,
    Optional<LinuxResources> overhead,
    Optional<LinuxResources> resources) {
  public PodConfig {
    portMappings = List.copyOf(portMappings);
    labels = Map.copyOf(labels);
    annotations = Map.copyOf(annotations);
    sysctls = Map.copyOf(sysctls);
  }

  /** A pod with a name and nothing else asked for. */
  public static PodConfig named(PodMetadata metadata) {
    return new PodConfig(
        metadata,
        "",
        "",
        Optional.empty(),
        List.of(),
        Map.of(),
        Map.of(),
        "",
        PodSecurity.DEFAULT,
        Map.of(),
        Optional.empty(),
        Optional.empty());
  }
}
