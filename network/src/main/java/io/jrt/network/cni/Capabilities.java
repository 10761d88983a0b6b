package io.jrt.network.cni;

import io.jrt.network.AttachRequest;
import io.jrt.network.Bandwidth;
import io.jrt.network.DnsConfig;
import io.jrt.network.PortMapping;
import java.util.List;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** What the runtime offers to plugins that declare a capability for it. */
final class Capabilities {
  static final String PORT_MAPPINGS = "portMappings";

  private static final JsonMapper JSON = JsonMapper.builder().build();

  /** Kubernetes names a rate only; the burst is as large as plugins accept. */
  private static final long BURST = 0xffff_ffffL;

  private Capabilities() {}

  /** All that there is to offer for a pod, by capability. */
  static ObjectNode of(AttachRequest request) {
    ObjectNode all = JSON.createObjectNode();
    if (!request.portMappings().isEmpty()) {
      ArrayNode mappings = all.putArray(PORT_MAPPINGS);
      for (PortMapping mapping : request.portMappings()) {
        mappings
            .addObject()
            .put("hostPort", mapping.hostPort())
            .put("containerPort", mapping.containerPort())
            .put("protocol", mapping.protocol().text())
            .put("hostIP", mapping.hostIp());
      }
    }
    ObjectNode bandwidth = JSON.createObjectNode();
    Bandwidth limits = Bandwidth.of(request.annotations());
    limit(limits.ingress(), "ingress", bandwidth);
    limit(limits.egress(), "egress", bandwidth);
    if (!bandwidth.isEmpty()) {
      all.set("bandwidth", bandwidth);
    }
    DnsConfig dns = request.dns();
    if (!dns.isEmpty()) {
      ObjectNode node = all.putObject("dns");
      texts(node.putArray("servers"), dns.servers());
      texts(node.putArray("searches"), dns.searches());
      texts(node.putArray("options"), dns.options());
    }
    if (!request.cgroupParent().isEmpty()) {
      all.put("cgroupPath", request.cgroupParent());
    }
    if (!request.annotations().isEmpty()) {
      ObjectNode annotations = all.putObject("io.kubernetes.cri.pod-annotations");
      request.annotations().forEach(annotations::put);
    }
    return all;
  }

  private static void texts(ArrayNode into, List<String> texts) {
    texts.forEach(into::add);
  }

  private static void limit(long rate, String direction, ObjectNode into) {
    if (rate > 0) {
      into.put(direction + "Rate", rate).put(direction + "Burst", BURST);
    }
  }
}
