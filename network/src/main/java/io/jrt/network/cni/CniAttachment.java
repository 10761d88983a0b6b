package io.jrt.network.cni;

import io.jrt.network.PodRef;
import io.jrt.network.PortMapping;
import java.util.List;
import tools.jackson.databind.node.ObjectNode;

/**
 * What was asked of the plugins for one sandbox: stored before the first plugin runs, so that all
 * of it can be undone later, whatever the configuration is by then.
 *
 * @param network the network list as text
 * @param arguments CNI_ARGS
 * @param capabilities what the runtime offered to plugins, by capability
 * @param result the last plugin's result; empty as long as ADD has not succeeded
 */
record CniAttachment(
    PodRef pod,
    String netns,
    String interfaceName,
    String network,
    String arguments,
    ObjectNode capabilities,
    ObjectNode result,
    List<PortMapping> portMappings) {
  CniAttachment {
    portMappings = List.copyOf(portMappings);
  }

  String sandboxId() {
    return pod.sandboxId();
  }

  boolean isComplete() {
    return !result.isEmpty();
  }

  CniAttachment with(ObjectNode newResult) {
    return new CniAttachment(
        pod, netns, interfaceName, network, arguments, capabilities, newResult, portMappings);
  }
}
