package io.jrt.core.device;

import io.jrt.core.device.CdiEdits.Hook;
import io.jrt.core.device.CdiEdits.IntelRdt;
import io.jrt.core.device.CdiEdits.Mount;
import io.jrt.core.device.CdiEdits.NetDevice;
import io.jrt.core.device.CdiEdits.Node;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.dataformat.yaml.YAMLMapper;

/**
 * Reads CDI specs of versions 0.3.0 to 1.1.0, as strictly as the specification asks: an unknown
 * field, or one that is younger than the version the file claims, makes the file unusable.
 */
public final class CdiSpecReader {
  private static final YAMLMapper YAML = new YAMLMapper();
  private static final int LARGEST = 8 << 20;
  private static final List<String> VERSIONS =
      List.of("0.3.0", "0.4.0", "0.5.0", "0.6.0", "0.7.0", "0.8.0", "1.0.0", "1.1.0");
  private static final String V0_4 = "0.4.0";
  private static final String V0_5 = "0.5.0";
  private static final String V0_6 = "0.6.0";
  private static final String V0_7 = "0.7.0";
  private static final String V1_1 = "1.1.0";

  private final String origin;
  private String version = "";

  private CdiSpecReader(String origin) {
    this.origin = origin;
  }

  /** Reads a file; its errors name it. */
  public static CdiSpec read(Path file) {
    try {
      if (Files.size(file) > LARGEST) {
        throw new CdiSpecReader(file.toString()).invalid("is larger than 8 MiB");
      }
      return parse(file.toString(), Files.readString(file));
    } catch (IOException e) {
      throw new JrtException(
          ErrorKind.INVALID, "read cdi spec", "cdi spec " + file + " cannot be read: " + e, e);
    }
  }

  /**
   * Reads a spec.
   *
   * @param origin where it is from, for messages
   * @param text JSON or YAML, of which JSON is a part
   */
  public static CdiSpec parse(String origin, String text) {
    CdiSpecReader reader = new CdiSpecReader(origin);
    try {
      return reader.spec(YAML.readTree(text));
    } catch (JacksonException e) {
      throw new JrtException(
          ErrorKind.INVALID,
          "read cdi spec",
          "cdi spec %s is neither JSON nor YAML: %s".formatted(origin, e.getOriginalMessage()),
          e);
    }
  }

  private CdiSpec spec(JsonNode root) {
    fields(root, "", "cdiVersion", "kind", "annotations", "devices", "containerEdits");
    version = text(root, "cdiVersion", "");
    if (version.startsWith("v")) {
      version = version.substring(1);
    }
    if (version.isEmpty()) {
      throw invalid("has no cdiVersion");
    }
    if (!VERSIONS.contains(version)) {
      throw invalid(
          "has cdiVersion %s; known are %s to %s"
              .formatted(version, VERSIONS.getFirst(), VERSIONS.getLast()));
    }
    String kind = text(root, "kind", "");
    if (!CdiName.isKind(kind)) {
      throw invalid("has the kind \"%s\", which is not vendor/class".formatted(kind));
    }
    if (kind.substring(kind.indexOf('/')).contains(".")) {
      since(V0_6, "a class with a dot");
    }
    List<CdiSpec.Device> devices = new ArrayList<>();
    Set<String> names = new HashSet<>();
    for (JsonNode node : array(root, "devices", "")) {
      CdiSpec.Device device = device(node);
      if (!names.add(device.name())) {
        throw invalid("has device \"%s\" twice".formatted(device.name()));
      }
      devices.add(device);
    }
    if (devices.isEmpty()) {
      throw invalid("has no devices");
    }
    return new CdiSpec(
        origin,
        version,
        kind,
        annotations(root, ""),
        devices,
        edits(root.path("containerEdits"), "containerEdits"));
  }

  private CdiSpec.Device device(JsonNode node) {
    fields(node, "devices", "name", "annotations", "containerEdits");
    String name = text(node, "name", "devices");
    if (!CdiName.isDevice(name)) {
      throw invalid("has the device name \"%s\", which is not allowed".formatted(name));
    }
    if (Character.isDigit(name.charAt(0))) {
      since(V0_5, "device name \"" + name + "\" that begins with a digit");
    }
    CdiEdits edits = edits(node.path("containerEdits"), "device \"" + name + "\"");
    if (edits.equals(CdiEdits.NONE)) {
      throw invalid("changes nothing for device \"%s\"".formatted(name));
    }
    return new CdiSpec.Device(name, annotations(node, "device \"" + name + "\""), edits);
  }

  private Map<String, String> annotations(JsonNode node, String where) {
    JsonNode all = node.path("annotations");
    Map<String, String> found = new LinkedHashMap<>();
    if (all.isMissingNode() || all.isNull()) {
      return found;
    }
    since(V0_6, "annotations");
    if (!all.isObject()) {
      throw invalid(in(where) + "has annotations that are no object");
    }
    for (String name : all.propertyNames()) {
      found.put(name, text(all, name, where));
    }
    return found;
  }

  private CdiEdits edits(JsonNode node, String where) {
    if (node.isMissingNode() || node.isNull()) {
      return CdiEdits.NONE;
    }
    fields(
        node,
        where,
        "env",
        "deviceNodes",
        "netDevices",
        "mounts",
        "hooks",
        "additionalGids",
        "additionalGIDs",
        "intelRdt");
    List<String> environment = texts(node, "env", where);
    for (String variable : environment) {
      if (variable.indexOf('=') <= 0) {
        throw invalid(in(where) + "has the environment entry \"%s\"".formatted(variable));
      }
    }
    List<Node> nodes = new ArrayList<>();
    for (JsonNode each : array(node, "deviceNodes", where)) {
      nodes.add(node(each, where));
    }
    List<NetDevice> netDevices = new ArrayList<>();
    for (JsonNode each : array(node, "netDevices", where)) {
      since(V1_1, "netDevices");
      fields(each, where, "hostInterfaceName", "name");
      NetDevice device =
          new NetDevice(text(each, "hostInterfaceName", where), text(each, "name", where));
      if (device.hostName().isEmpty() || device.name().isEmpty()) {
        throw invalid(in(where) + "has a network device without its two names");
      }
      netDevices.add(device);
    }
    List<Mount> mounts = new ArrayList<>();
    for (JsonNode each : array(node, "mounts", where)) {
      mounts.add(mount(each, where));
    }
    List<Hook> hooks = new ArrayList<>();
    for (JsonNode each : array(node, "hooks", where)) {
      hooks.add(hook(each, where));
    }
    return new CdiEdits(
        environment, nodes, netDevices, mounts, hooks, groups(node, where), rdt(node, where));
  }

  private List<Long> groups(JsonNode node, String where) {
    List<Long> groups = new ArrayList<>();
    for (String field : List.of("additionalGids", "additionalGIDs")) {
      for (JsonNode each : array(node, field, where)) {
        since(V0_7, field);
        if (!each.isIntegralNumber() || each.longValue() < 0 || each.longValue() >= 0xffff_ffffL) {
          throw invalid(in(where) + "has a group id that is none: " + each);
        }
        if (each.longValue() != 0) {
          groups.add(each.longValue());
        }
      }
    }
    return groups;
  }

  private Node node(JsonNode node, String where) {
    fields(
        node,
        where,
        "path",
        "hostPath",
        "type",
        "major",
        "minor",
        "fileMode",
        "permissions",
        "uid",
        "gid");
    String path = absolute(node, "path", where);
    String hostPath = text(node, "hostPath", where);
    if (!hostPath.isEmpty()) {
      since(V0_5, "hostPath of a device node");
      absolute(node, "hostPath", where);
    }
    String type = text(node, "type", where);
    if (!type.isEmpty() && !Node.TYPES.contains(type)) {
      throw invalid(in(where) + "has device %s of the unknown type \"%s\"".formatted(path, type));
    }
    String permissions = text(node, "permissions", where);
    if (!permissions.equals("none") && !permissions.matches("[rwm]*")) {
      throw invalid(
          in(where) + "has device %s with the permissions \"%s\"".formatted(path, permissions));
    }
    return new Node(
        path,
        hostPath,
        type,
        number(node, "major", where),
        number(node, "minor", where),
        number(node, "fileMode", where).map(mode -> (int) (mode & 07777)),
        permissions,
        number(node, "uid", where),
        number(node, "gid", where));
  }

  private Mount mount(JsonNode node, String where) {
    fields(node, where, "hostPath", "containerPath", "type", "options");
    String type = text(node, "type", where);
    if (!type.isEmpty()) {
      since(V0_4, "type of a mount");
    }
    String hostPath = text(node, "hostPath", where);
    if (hostPath.isEmpty()) {
      throw invalid(in(where) + "has a mount without hostPath");
    }
    return new Mount(
        hostPath, absolute(node, "containerPath", where), type, texts(node, "options", where));
  }

  private Hook hook(JsonNode node, String where) {
    fields(node, where, "hookName", "path", "args", "env", "timeout");
    String name = text(node, "hookName", where);
    Hook.Moment moment =
        Hook.Moment.of(name)
            .orElseThrow(() -> invalid(in(where) + "has the unknown hook \"" + name + "\""));
    Optional<Long> seconds = number(node, "timeout", where);
    if (seconds.isPresent() && (seconds.get() <= 0 || seconds.get() > Integer.MAX_VALUE)) {
      throw invalid(in(where) + "has a hook with a timeout of " + seconds.get());
    }
    return new Hook(
        moment,
        absolute(node, "path", where),
        texts(node, "args", where),
        texts(node, "env", where),
        seconds.map(Long::intValue));
  }

  private Optional<IntelRdt> rdt(JsonNode parent, String where) {
    JsonNode node = parent.path("intelRdt");
    if (node.isMissingNode() || node.isNull()) {
      return Optional.empty();
    }
    since(V0_7, "intelRdt");
    fields(
        node,
        where,
        "closID",
        "l3CacheSchema",
        "memBwSchema",
        "enableCMT",
        "enableMBM",
        "schemata",
        "enableMonitoring");
    if (version.equals(V1_1) && (node.has("enableCMT") || node.has("enableMBM"))) {
      throw invalid(in(where) + "has enableCMT or enableMBM, which version 1.1.0 has not");
    }
    if (node.has("schemata") || node.has("enableMonitoring")) {
      since(V1_1, "schemata and enableMonitoring");
    }
    return Optional.of(
        new IntelRdt(
            text(node, "closID", where),
            text(node, "l3CacheSchema", where),
            text(node, "memBwSchema", where),
            texts(node, "schemata", where),
            node.path("enableMonitoring").asBoolean(false)));
  }

  // Parts -------------------------------------------------------------------------------------

  private void fields(JsonNode node, String where, String... known) {
    if (!node.isObject()) {
      throw invalid(in(where) + "has " + node.getNodeType() + " where an object belongs");
    }
    for (String name : node.propertyNames()) {
      if (!List.of(known).contains(name)) {
        throw invalid(in(where) + "has the unknown field \"" + name + "\"");
      }
    }
  }

  private void since(String first, String what) {
    if (VERSIONS.indexOf(version) < VERSIONS.indexOf(first)) {
      throw invalid("is of version %s and has %s, of %s".formatted(version, what, first));
    }
  }

  private String text(JsonNode node, String field, String where) {
    JsonNode value = node.path(field);
    if (value.isMissingNode() || value.isNull()) {
      return "";
    }
    if (!value.isString() || value.stringValue().indexOf('\0') >= 0) {
      throw invalid(in(where) + "has the field %s that is no text".formatted(field));
    }
    return value.stringValue();
  }

  private List<String> texts(JsonNode node, String field, String where) {
    List<String> values = new ArrayList<>();
    for (JsonNode each : array(node, field, where)) {
      if (!each.isString() || each.stringValue().indexOf('\0') >= 0) {
        throw invalid(in(where) + "has something in %s that is no text".formatted(field));
      }
      values.add(each.stringValue());
    }
    return values;
  }

  private Iterable<JsonNode> array(JsonNode node, String field, String where) {
    JsonNode value = node.path(field);
    if (value.isMissingNode() || value.isNull()) {
      return List.of();
    }
    if (!value.isArray()) {
      throw invalid(in(where) + "has the field %s that is no list".formatted(field));
    }
    return value;
  }

  private Optional<Long> number(JsonNode node, String field, String where) {
    JsonNode value = node.path(field);
    if (value.isMissingNode() || value.isNull()) {
      return Optional.empty();
    }
    if (!value.isIntegralNumber() || value.longValue() < 0 || value.longValue() > 0xffff_ffffL) {
      throw invalid(in(where) + "has the field %s with the value %s".formatted(field, value));
    }
    return Optional.of(value.longValue());
  }

  private String absolute(JsonNode node, String field, String where) {
    String path = text(node, field, where);
    CdiEdits.fault(path)
        .ifPresent(
            fault -> {
              throw invalid(in(where) + "has the %s \"%s\"%s".formatted(field, path, fault));
            });
    return path;
  }

  private static String in(String where) {
    return where.isEmpty() ? "" : "(" + where + ") ";
  }

  private JrtException invalid(String what) {
    return new JrtException(
        ErrorKind.INVALID, "read cdi spec", "cdi spec %s %s".formatted(origin, what));
  }
}
