package io.jrt.core.life;

import io.jrt.core.Discrepancy;
import io.jrt.core.store.ContainerRecord;
import io.jrt.core.store.Ids;
import io.jrt.core.store.Intent;
import io.jrt.core.store.PodRecord;
import io.jrt.core.store.RecordStore;
import io.jrt.linux.MountEntry;
import io.jrt.linux.WholeFile.Durability;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Compares what this daemon knows with what lies on the disk and what the kernel has, while it
 * works.
 *
 * <p>What is just being made or removed looks wrong for a moment: only what is found twice, a while
 * apart, counts. A repair never touches what a record names; it releases what none does by the same
 * steps as a removal, and writes records again that were lost while their object lives.
 */
final class Check {
  private static final long BETWEEN_MILLIS = 500;

  private final Wiring wiring;
  private final Inventory inventory;
  private final RecordStore<PodRecord> podRecords;
  private final RecordStore<ContainerRecord> containerRecords;
  private final RecordStore<Intent> intents;
  private final PodLifecycle pods;
  private final WritableLayers layers;
  private final Recovery recovery;

  Check(
      Wiring wiring,
      Inventory inventory,
      RecordStore<PodRecord> podRecords,
      RecordStore<ContainerRecord> containerRecords,
      RecordStore<Intent> intents,
      PodLifecycle pods,
      WritableLayers layers,
      Recovery recovery) {
    this.wiring = wiring;
    this.inventory = inventory;
    this.podRecords = podRecords;
    this.containerRecords = containerRecords;
    this.intents = intents;
    this.pods = pods;
    this.layers = layers;
    this.recovery = recovery;
  }

  /** Something that is wrong, and what a repair would do; nothing where a person must decide. */
  private record Found(String subject, String problem, String remedy, Runnable repair) {
    String key() {
      return subject + problem;
    }
  }

  /** For what a person must decide. */
  private static void nothing() {}

  List<Discrepancy> run(boolean repair) {
    Set<String> first = new HashSet<>();
    look().forEach(found -> first.add(found.key()));
    if (first.isEmpty()) {
      return List.of();
    }
    try {
      Thread.sleep(BETWEEN_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return List.of();
    }
    List<Discrepancy> discrepancies = new ArrayList<>();
    for (Found found : look()) {
      if (first.contains(found.key())) {
        discrepancies.add(repair ? repaired(found) : told(found, found.problem(), false));
      }
    }
    return List.copyOf(discrepancies);
  }

  private static Discrepancy told(Found found, String problem, boolean repaired) {
    return new Discrepancy(found.subject(), problem, found.remedy(), repaired);
  }

  private static Discrepancy repaired(Found found) {
    if (found.remedy().isEmpty()) {
      return told(found, found.problem(), false);
    }
    try {
      found.repair().run();
      return told(found, found.problem(), true);
    } catch (RuntimeException e) {
      return told(found, found.problem() + "; the repair failed: " + e.getMessage(), false);
    }
  }

  private List<Found> look() {
    List<Found> found = new ArrayList<>();
    Set<String> underWay = new HashSet<>();
    intents.ids().forEach(underWay::add);
    Map<String, Pod> knownPods = new HashMap<>();
    inventory.pods().forEach(pod -> knownPods.put(pod.id(), pod));
    Map<String, Container> knownContainers = new HashMap<>();
    inventory.containers().forEach(one -> knownContainers.put(one.id(), one));

    records(found, knownPods, knownContainers);
    strangers(found, knownPods.keySet(), knownContainers.keySet(), underWay);
    for (Pod pod : knownPods.values()) {
      if (pod.isReady() && !pods.namespaces().stand(pod)) {
        found.add(
            new Found(
                "pod " + pod.id(),
                "it counts as ready and its namespaces are gone",
                "mark it as not ready, so that it is replaced",
                () -> pods.lose(pod, "its namespaces are gone")));
      }
    }
    mounts(found, knownPods.keySet(), knownContainers.keySet(), underWay);
    for (Path place :
        List.of(
            wiring.layout().podRecords().resolve("damaged"),
            wiring.layout().containerRecords().resolve("damaged"),
            wiring.layout().root().resolve("images/damaged"),
            wiring.layout().state().resolve("network/bridge/damaged"))) {
      for (String name : names(place)) {
        found.add(
            new Found(
                place.resolve(name).toString(),
                "it could not be read as what it should be and was set aside; look at it and"
                    + " delete it",
                "",
                Check::nothing));
      }
    }
    return found;
  }

  /** Each object must be readable from its file as it is in memory. */
  private void records(
      List<Found> found, Map<String, Pod> knownPods, Map<String, Container> knownContainers) {
    for (Pod pod : knownPods.values()) {
      if (!podRecords.has(pod.id(), pod.record())) {
        found.add(
            new Found(
                "pod " + pod.id(),
                "its record on disk is missing or is not what it is now",
                "write the record again",
                () -> podRecords.put(pod.id(), pod.record(), Durability.POWER_CUT)));
      }
    }
    for (Container container : knownContainers.values()) {
      if (!containerRecords.has(container.id(), container.record())) {
        found.add(
            new Found(
                "container " + container.id(),
                "its record on disk is missing or is not what it is now",
                "write the record again",
                () ->
                    containerRecords.put(
                        container.id(), container.record(), Durability.POWER_CUT)));
      }
    }
    for (String id : podRecords.ids()) {
      if (!knownPods.containsKey(id)) {
        found.add(
            new Found(
                "pod " + id,
                "there is a record of it that the daemon does not know; a restart takes it in",
                "",
                Check::nothing));
      }
    }
    for (String id : containerRecords.ids()) {
      if (!knownContainers.containsKey(id)) {
        found.add(
            new Found(
                "container " + id,
                "there is a record of it that the daemon does not know; a restart takes it in",
                "",
                Check::nothing));
      }
    }
  }

  /** What carries an id that no object has. */
  private void strangers(
      List<Found> found, Set<String> podIds, Set<String> containerIds, Set<String> underWay) {
    for (String id : names(wiring.layout().containers())) {
      if (Ids.isId(id) && !containerIds.contains(id) && !underWay.contains(id)) {
        found.add(
            new Found(
                "container " + id,
                "it has a directory and no record",
                "end what runs of it and remove what is left",
                () -> recovery.releaseUnknownContainer(id)));
      }
    }
    for (String id : names(wiring.layout().pods())) {
      if (Ids.isId(id) && !podIds.contains(id) && !underWay.contains(id)) {
        found.add(
            new Found(
                "pod " + id,
                "it has a directory and no record",
                "end what runs of it and remove what is left",
                () -> recovery.releaseUnknownPod(id)));
      }
    }
    for (String key : wiring.images().snapshotKeys()) {
      if (Ids.isId(key) && !containerIds.contains(key) && !underWay.contains(key)) {
        found.add(
            new Found(
                "snapshot " + key,
                "it belongs to no container",
                "remove it",
                () -> layers.remove(key)));
      }
    }
    for (Map.Entry<String, String> own : wiring.cgroups().own().entrySet()) {
      if (!podIds.contains(own.getKey()) && !underWay.contains(own.getKey())) {
        String path = own.getValue();
        found.add(
            new Found(
                "cgroup " + path,
                "it belongs to no pod",
                "kill what is in it and remove it",
                () -> {
                  wiring.cgroups().killAll(path);
                  wiring.cgroups().remove(path);
                }));
      }
    }
  }

  /** Mounts below the state directory, such as pinned namespaces, of nobody. */
  private void mounts(
      List<Found> found, Set<String> podIds, Set<String> containerIds, Set<String> underWay) {
    String below = wiring.layout().state() + "/";
    for (MountEntry mount : wiring.kernel().mounts().mountInfo()) {
      if (!mount.target().startsWith(below)) {
        continue;
      }
      Path place = Path.of(mount.target());
      boolean owned =
          Stream.of(podIds, containerIds, underWay)
              .flatMap(Set::stream)
              .anyMatch(id -> mount.target().contains("/" + id + "/"));
      if (!owned && !isInStrangersDirectory(place)) {
        found.add(
            new Found(
                place.toString(),
                "something is mounted there for no pod and no container",
                "unmount it",
                () -> wiring.kernel().mounts().detach(place)));
      }
    }
  }

  /** Those go with the directory. */
  private boolean isInStrangersDirectory(Path place) {
    for (Path top : List.of(wiring.layout().pods(), wiring.layout().containers())) {
      if (place.startsWith(top)
          && place.getNameCount() > top.getNameCount()
          && Ids.isId(place.getName(top.getNameCount()).toString())) {
        return true;
      }
    }
    return false;
  }

  private static List<String> names(Path directory) {
    if (!Files.isDirectory(directory)) {
      return List.of();
    }
    try (Stream<Path> entries = Files.list(directory)) {
      return entries.map(path -> path.getFileName() + "").sorted().toList();
    } catch (IOException e) {
      return List.of(); // it went while we looked
    }
  }
}
