package io.jrt.core.device;

import io.jrt.core.device.CdiEdits.Hook;
import io.jrt.core.device.CdiEdits.Mount;
import io.jrt.core.device.CdiEdits.Node;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Writes a CDI spec as JSON that every reader of its version understands. */
public final class CdiWriter {
  private static final JsonMapper JSON = JsonMapper.builder().build();

  private CdiWriter() {}

  /** The document, indented, with a newline at its end. */
  public static String json(CdiSpec spec) {
    ObjectNode root = JSON.createObjectNode();
    root.put("cdiVersion", spec.version()).put("kind", spec.kind());
    annotations(root, spec.annotations());
    ArrayNode devices = root.putArray("devices");
    for (CdiSpec.Device device : spec.devices()) {
      ObjectNode node = devices.addObject().put("name", device.name());
      annotations(node, device.annotations());
      edits(node.putObject("containerEdits"), device.edits());
    }
    if (!spec.edits().equals(CdiEdits.NONE)) {
      edits(root.putObject("containerEdits"), spec.edits());
    }
    return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(root) + "\n";
  }

  private static void annotations(ObjectNode node, Map<String, String> annotations) {
    if (!annotations.isEmpty()) {
      ObjectNode all = node.putObject("annotations");
      new TreeMap<>(annotations).forEach(all::put);
    }
  }

  private static void edits(ObjectNode node, CdiEdits edits) {
    texts(node, "env", edits.environment());
    if (!edits.nodes().isEmpty()) {
      ArrayNode all = node.putArray("deviceNodes");
      edits.nodes().forEach(each -> node(all.addObject(), each));
    }
    if (!edits.netDevices().isEmpty()) {
      ArrayNode all = node.putArray("netDevices");
      for (CdiEdits.NetDevice each : edits.netDevices()) {
        all.addObject().put("hostInterfaceName", each.hostName()).put("name", each.name());
      }
    }
    if (!edits.mounts().isEmpty()) {
      ArrayNode all = node.putArray("mounts");
      for (Mount each : edits.mounts()) {
        ObjectNode mount =
            all.addObject()
                .put("hostPath", each.hostPath())
                .put("containerPath", each.containerPath());
        text(mount, "type", each.type());
        texts(mount, "options", each.options());
      }
    }
    if (!edits.hooks().isEmpty()) {
      ArrayNode all = node.putArray("hooks");
      for (Hook each : edits.hooks()) {
        ObjectNode hook =
            all.addObject().put("hookName", each.moment().word()).put("path", each.path());
        texts(hook, "args", each.args());
        texts(hook, "env", each.environment());
        each.seconds().ifPresent(seconds -> hook.put("timeout", seconds));
      }
    }
    if (!edits.groups().isEmpty()) {
      ArrayNode all = node.putArray("additionalGids");
      edits.groups().forEach(all::add);
    }
    edits.intelRdt().ifPresent(rdt -> intelRdt(node.putObject("intelRdt"), rdt));
  }

  private static void intelRdt(ObjectNode node, CdiEdits.IntelRdt rdt) {
    text(node, "closID", rdt.closId());
    text(node, "l3CacheSchema", rdt.l3CacheSchema());
    text(node, "memBwSchema", rdt.memBwSchema());
    texts(node, "schemata", rdt.schemata());
    if (rdt.enableMonitoring()) {
      node.put("enableMonitoring", true);
    }
  }

  private static void node(ObjectNode node, Node device) {
    node.put("path", device.path());
    text(node, "hostPath", device.hostPath());
    text(node, "type", device.type());
    device.major().ifPresent(value -> node.put("major", value));
    device.minor().ifPresent(value -> node.put("minor", value));
    device.mode().ifPresent(value -> node.put("fileMode", value));
    text(node, "permissions", device.permissions());
    device.uid().ifPresent(value -> node.put("uid", value));
    device.gid().ifPresent(value -> node.put("gid", value));
  }

  private static void text(ObjectNode node, String field, String value) {
    if (!value.isEmpty()) {
      node.put(field, value);
    }
  }

  private static void texts(ObjectNode node, String field, List<String> values) {
    if (!values.isEmpty()) {
      ArrayNode all = node.putArray(field);
      values.forEach(all::add);
    }
  }
}
