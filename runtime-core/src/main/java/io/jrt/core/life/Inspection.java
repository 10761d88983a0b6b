package io.jrt.core.life;

import io.jrt.core.ContainerState;
import io.jrt.core.launch.LiveContainer;
import io.jrt.core.store.ContainerRecord;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** What is known of an object, as one document for people. */
final class Inspection {
  private final Wiring wiring;
  private final Inventory inventory;
  private final JsonMapper json =
      JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

  Inspection(Wiring wiring, Inventory inventory) {
    this.wiring = wiring;
    this.inventory = inventory;
  }

  String pod(String id) {
    Pod pod = inventory.pod(id);
    Map<String, Object> document = new LinkedHashMap<>();
    document.put("pod", pod.record());
    document.put("state", pod.state());
    document.put("directory", path(wiring.layout().pod(pod.id())));
    document.put("namespaces", path(wiring.layout().namespaces(pod.id())));
    pod.init().ifPresent(init -> document.put("init", process(init)));
    document.put(
        "containers", inventory.containersOf(pod.id()).stream().map(Container::id).toList());
    return json.writeValueAsString(document);
  }

  String container(String id) {
    Container container = inventory.container(id);
    ContainerRecord record = container.record();
    ContainerState state = container.state();
    Map<String, Object> document = new LinkedHashMap<>();
    document.put("container", record);
    document.put("state", Map.of(ContainerRuns.describe(state), state));
    document.put("directory", path(wiring.layout().container(record.id())));
    wiring
        .images()
        .snapshot(record.id())
        .ifPresent(
            snapshot -> {
              document.put("layers", snapshot.lowerDirs().stream().map(Inspection::path).toList());
              document.put("writableLayer", path(snapshot.upper()));
            });
    container.live().ifPresent(live -> document.put("process", process(live)));
    container.io().ifPresent(io -> document.put("streams", io.stats()));
    return json.writeValueAsString(document);
  }

  private static Map<String, Object> process(LiveContainer live) {
    return Map.of(
        "pid", live.pid(), "startTime", live.startTime(), "keeper", path(live.keeperDir()));
  }

  private static String path(Path path) {
    return path.toString();
  }
}
