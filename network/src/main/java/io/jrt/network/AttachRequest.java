package io.jrt.network;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * A pod sandbox that is to be connected to the pod network. Pods in the host's network are never
 * given to a provider.
 *
 * @param pod which sandbox
 * @param netns the pinned network namespace; it exists and holds nothing but a loopback interface
 *     that is down. It may belong to the pod's user namespace
 * @param labels the pod's labels
 * @param annotations the pod's annotations; bandwidth limits are read from them
 * @param portMappings the host ports asked for
 * @param dns what the pod's resolver is told; some plugins want to know it
 * @param cgroupParent the pod's cgroup below the hierarchy's root, "" if there is none
 */
public record AttachRequest(
    PodRef pod,
    Path netns,
    Map<String, String> labels,
    Map<String, String> annotations,
    List<PortMapping> portMappings,
    DnsConfig dns,
    String cgroupParent) {
  public AttachRequest {
    labels = Map.copyOf(labels);
    annotations = Map.copyOf(annotations);
    portMappings = List.copyOf(portMappings);
  }
}
