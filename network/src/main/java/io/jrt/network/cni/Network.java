package io.jrt.network.cni;

import io.jrt.errors.ErrorKind;
import io.jrt.network.cni.AttachmentStore.Name;
import io.jrt.network.cni.PluginRunner.Call;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Runs the plugins of a network list in the order each command asks for. */
final class Network {
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final String RUNTIME_CONFIG = "runtimeConfig";

  private final PluginRunner runner;
  private final NetworkList list;

  Network(PluginRunner runner, NetworkList list) {
    this.runner = runner;
    this.list = list;
  }

  /**
   * ADD: first to last, each told the result of the one before. Answers the last one's.
   *
   * @param firstRuns the provider's, by plugin and what it is offered
   */
  ObjectNode add(CniAttachment attachment, FirstRuns firstRuns) throws PluginException {
    ObjectNode result = JSON.createObjectNode();
    for (PluginConfig plugin : list.plugins()) {
      ObjectNode input = input(plugin, attachment, result);
      Call call = new Call("ADD", environment(attachment, attachment.netns()), input);
      String kind = plugin.type() + input.path(RUNTIME_CONFIG).propertyNames();
      String output = firstRuns.run(kind, () -> runner.run(plugin.type(), call));
      result = CniResult.parse(plugin.type(), output, list.version());
    }
    return result;
  }

  /** CHECK: first to last, if the version has it and the list does not refuse it. */
  void check(CniAttachment attachment) throws PluginException {
    if (!list.version().atLeast(CniVersion.V0_4_0) || list.disableCheck()) {
      return;
    }
    for (PluginConfig plugin : list.plugins()) {
      runner.run(
          plugin.type(),
          new Call(
              "CHECK",
              environment(attachment, attachment.netns()),
              input(plugin, attachment, attachment.result())));
    }
  }

  /**
   * DEL: last to first, and to the end whatever fails.
   *
   * @param netns the namespace, "" if it is gone
   * @return what failed
   */
  List<PluginException> delete(CniAttachment attachment, String netns) {
    List<PluginException> errors = new ArrayList<>();
    for (PluginConfig plugin : list.plugins().reversed()) {
      try {
        // Before 0.4 a plugin was not told the result again.
        ObjectNode former =
            list.version().atLeast(CniVersion.V0_4_0)
                ? attachment.result()
                : JSON.createObjectNode();
        runner.run(
            plugin.type(),
            new Call("DEL", environment(attachment, netns), input(plugin, attachment, former)));
      } catch (PluginException e) {
        if (e.kind() != ErrorKind.NOT_FOUND) { // code 3: nothing to delete
          errors.add(e);
        }
      }
    }
    return errors;
  }

  /** GC: tells every plugin which attachments there are. Answers what failed. */
  List<PluginException> collect(List<Name> valid) {
    List<PluginException> errors = new ArrayList<>();
    if (!list.version().atLeast(CniVersion.V1_1_0) || list.disableGc()) {
      return errors;
    }
    for (PluginConfig plugin : list.plugins()) {
      ObjectNode input = base(plugin);
      for (String key : List.of("cni.dev/valid-attachments", "cni.dev/attachments")) {
        ArrayNode attachments = input.putArray(key);
        for (Name name : valid) {
          attachments
              .addObject()
              .put("containerID", name.containerId())
              .put("ifname", name.interfaceName());
        }
      }
      try {
        runner.run(plugin.type(), new Call("GC", Map.of(), input));
      } catch (PluginException e) {
        errors.add(e);
      }
    }
    return errors;
  }

  /** Asks whether the plugins can work: that they exist, speak the version, and STATUS. */
  void status() throws PluginException {
    for (PluginConfig plugin : list.plugins()) {
      ObjectNode question = JSON.createObjectNode().put("cniVersion", list.version().text());
      String output = runner.run(plugin.type(), new Call("VERSION", Map.of(), question));
      List<String> supported = new ArrayList<>();
      PluginRunner.object(output)
          .ifPresent(
              answer ->
                  answer.path("supportedVersions").forEach(v -> supported.add(v.asString(""))));
      if (!supported.contains(list.version().text())) {
        throw new PluginException(
            ErrorKind.UNAVAILABLE,
            "cni plugin "
                + plugin.type()
                + " supports versions "
                + supported
                + ", network "
                + list.name()
                + " needs "
                + list.version().text());
      }
      if (list.version().atLeast(CniVersion.V1_1_0)) {
        runner.run(plugin.type(), new Call("STATUS", Map.of(), base(plugin)));
      }
    }
  }

  boolean wants(String capability) {
    return list.plugins().stream().anyMatch(plugin -> plugin.capabilities().contains(capability));
  }

  private static Map<String, String> environment(CniAttachment attachment, String netns) {
    Map<String, String> environment = new HashMap<>();
    environment.put("CNI_CONTAINERID", attachment.sandboxId());
    environment.put("CNI_NETNS", netns);
    environment.put("CNI_IFNAME", attachment.interfaceName());
    environment.put("CNI_ARGS", attachment.arguments());
    return environment;
  }

  private ObjectNode base(PluginConfig plugin) {
    ObjectNode input = plugin.json().deepCopy();
    input.remove("capabilities");
    return input.put("name", list.name()).put("cniVersion", list.version().text());
  }

  private ObjectNode input(PluginConfig plugin, CniAttachment attachment, ObjectNode former) {
    ObjectNode input = base(plugin);
    ObjectNode runtime = JSON.createObjectNode();
    for (String capability : plugin.capabilities()) {
      JsonNode value = attachment.capabilities().get(capability);
      if (value != null) {
        runtime.set(capability, value);
      }
    }
    if (!runtime.isEmpty()) {
      input.set(RUNTIME_CONFIG, runtime);
    }
    if (!former.isEmpty()) {
      input.set("prevResult", former);
    }
    return input;
  }
}
