package io.jrt.network.cni;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.network.AttachRequest;
import io.jrt.network.DnsConfig;
import io.jrt.network.PortMapping;
import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** What the runtime offers to plugins that declare a capability for it. */
final class Capabilities {
  static final String PORT_MAPPINGS = "portMappings";

  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final String INGRESS = "kubernetes.io/ingress-bandwidth";
  private static final String EGRESS = "kubernetes.io/egress-bandwidth";
  private static final long MIN_RATE = 1_000;
  private static final long MAX_RATE = 1_000_000_000_000_000L;

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
    limit(request, INGRESS, "ingress", bandwidth);
    limit(request, EGRESS, "egress", bandwidth);
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

  private static void limit(
      AttachRequest request, String annotation, String direction, ObjectNode into) {
    String text = request.annotations().get(annotation);
    if (text != null) {
      into.put(direction + "Rate", rate(annotation, text)).put(direction + "Burst", BURST);
    }
  }

  /** A Kubernetes quantity in bits per second, such as {@code 10M}. */
  private static long rate(String annotation, String text) {
    String digits = text.replaceAll("[A-Za-z]+$", "");
    Long factor =
        Map.of(
                "",
                1L,
                "k",
                1_000L,
                "M",
                1_000_000L,
                "G",
                1_000_000_000L,
                "T",
                1_000_000_000_000L,
                "Ki",
                1L << 10,
                "Mi",
                1L << 20,
                "Gi",
                1L << 30,
                "Ti",
                1L << 40)
            .get(text.substring(digits.length()));
    if (factor != null && digits.matches("[0-9]+(\\.[0-9]+)?")) {
      BigDecimal rate = new BigDecimal(digits).multiply(BigDecimal.valueOf(factor));
      if (rate.compareTo(BigDecimal.valueOf(MIN_RATE)) >= 0
          && rate.compareTo(BigDecimal.valueOf(MAX_RATE)) <= 0) {
        return rate.longValue();
      }
    }
    throw new JrtException(
        ErrorKind.INVALID,
        "attach network",
        "annotation " + annotation + " \"" + text + "\" is not a rate between 1k and 1P");
  }
}
