package io.jrt.network.cni;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * A network configuration list: plugins that are run one after another.
 *
 * @param name the network's name
 * @param version the version that the plugins are spoken to in
 * @param disableCheck whether CHECK is not to be run
 * @param disableGc whether GC is not to be run
 * @param text the list as JSON, complete in itself
 */
record NetworkList(
    String name,
    CniVersion version,
    boolean disableCheck,
    boolean disableGc,
    List<PluginConfig> plugins,
    String text) {
  private static final JsonMapper JSON = JsonMapper.builder().build();

  NetworkList {
    plugins = List.copyOf(plugins);
  }

  /** The file is not a network configuration; the message says why. */
  static final class Malformed extends Exception {
    private static final long serialVersionUID = 1L;

    Malformed(String message) {
      super(message);
    }
  }

  /** Reads a {@code .conflist}, or a {@code .conf} or {@code .json} with a single plugin. */
  static NetworkList read(Path file) throws Malformed {
    try {
      ObjectNode root = object(JSON.readTree(Files.readAllBytes(file)));
      if (!file.toString().endsWith(".conflist")) {
        ObjectNode list = JSON.createObjectNode();
        list.set("cniVersion", root.path("cniVersion"));
        list.set("name", root.path("name"));
        list.putArray("plugins").add(root);
        root = list;
      } else if (root.path("loadOnlyInlinedPlugins").isBoolean()
          && !root.path("loadOnlyInlinedPlugins").booleanValue()) {
        addPluginFiles(root, file);
      }
      return parse(root);
    } catch (IOException | JacksonException e) {
      throw new Malformed(String.valueOf(e.getMessage()));
    }
  }

  /** Reads a list from its {@link #text()}. */
  static NetworkList parse(String text) throws Malformed {
    try {
      return parse(object(JSON.readTree(text)));
    } catch (JacksonException e) {
      throw new Malformed(String.valueOf(e.getMessage()));
    }
  }

  private static ObjectNode object(JsonNode node) throws Malformed {
    if (node instanceof ObjectNode object) {
      return object;
    }
    throw new Malformed("not a JSON object");
  }

  /** CNI 1.1: more plugins may lie in a directory named after the network. */
  private static void addPluginFiles(ObjectNode list, Path file) throws IOException, Malformed {
    Path directory = file.resolveSibling(list.path("name").asString(""));
    if (!Files.isDirectory(directory)) {
      return;
    }
    Set<Path> files = new TreeSet<>();
    try (DirectoryStream<Path> found = Files.newDirectoryStream(directory, "*.conf")) {
      found.forEach(files::add);
    }
    for (Path plugin : files) {
      list.withArray("plugins").add(object(JSON.readTree(Files.readAllBytes(plugin))));
    }
  }

  private static NetworkList parse(ObjectNode root) throws Malformed {
    String name = root.path("name").asString("");
    if (!name.matches("[a-zA-Z0-9][a-zA-Z0-9_.\\-]*")) {
      throw new Malformed("\"" + name + "\" is not a network name");
    }
    List<PluginConfig> plugins = new ArrayList<>();
    for (JsonNode node : root.path("plugins")) {
      ObjectNode json = object(node);
      String type = json.path("type").asString("");
      if (type.isEmpty() || type.contains("/") || type.startsWith(".")) {
        throw new Malformed("\"" + type + "\" is not a plugin's name");
      }
      Set<String> capabilities = new HashSet<>();
      json.path("capabilities")
          .properties()
          .forEach(
              entry -> {
                if (entry.getValue().asBoolean(false)) {
                  capabilities.add(entry.getKey());
                }
              });
      plugins.add(new PluginConfig(type, Set.copyOf(capabilities), json));
    }
    if (plugins.isEmpty()) {
      throw new Malformed("network " + name + " has no plugins");
    }
    return new NetworkList(
        name,
        version(root),
        isTrue(root.path("disableCheck")),
        isTrue(root.path("disableGC")),
        plugins,
        root.toString());
  }

  private static CniVersion version(ObjectNode root) throws Malformed {
    List<String> offered = new ArrayList<>();
    root.path("cniVersions").forEach(version -> offered.add(version.asString("")));
    if (offered.isEmpty()) {
      offered.add(root.path("cniVersion").asString(""));
    }
    List<CniVersion> known =
        Arrays.stream(CniVersion.values())
            .filter(version -> offered.contains(version.text()))
            .toList();
    if (known.isEmpty()) {
      throw new Malformed(
          "cniVersion "
              + String.join(", ", offered)
              + " is not one of "
              + String.join(
                  ", ", Arrays.stream(CniVersion.values()).map(CniVersion::text).toList()));
    }
    return known.getLast();
  }

  /** Booleans are also accepted as text, as libcni does. */
  private static boolean isTrue(JsonNode node) {
    return node.isBoolean() ? node.booleanValue() : node.asString("").equalsIgnoreCase("true");
  }
}
