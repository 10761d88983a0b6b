package io.jrt.core.life;

import io.jrt.core.ContainerState;
import io.jrt.core.launch.Adopted;
import io.jrt.core.launch.ExitRecord;
import io.jrt.core.launch.LiveContainer;
import io.jrt.core.op.Together;
import io.jrt.core.store.BootId;
import io.jrt.core.store.ContainerRecord;
import io.jrt.core.store.Ids;
import io.jrt.core.store.Intent;
import io.jrt.core.store.Layout;
import io.jrt.core.store.PodRecord;
import io.jrt.core.store.RecordStore;
import io.jrt.core.store.StartRecord;
import io.jrt.events.DaemonEvent;
import io.jrt.linux.Signals;
import io.jrt.linux.WholeFile.Durability;
import io.jrt.network.PodRef;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a daemon does before its first request: it reads the records, finds what runs, learns what
 * ended meanwhile, undoes what was half made, and releases what no record names.
 *
 * <p>It uses the same steps as a stop, a removal or an undone creation; there is nothing that only
 * a recovery can do. Pods first, then containers, each of them side by side: a failure with one
 * object is reported, and neither it nor a wait holds up another object.
 */
final class Recovery {
  private static final Logger log = LoggerFactory.getLogger(Recovery.class);

  private final Wiring wiring;
  private final Inventory inventory;
  private final RecordStore<PodRecord> podRecords;
  private final RecordStore<ContainerRecord> containerRecords;
  private final RecordStore<Intent> intents;
  private final PodLifecycle pods;
  private final ContainerLifecycle containers;
  private final ContainerRuns runs;
  private final WritableLayers layers;
  private final String bootId = BootId.current();
  private final List<String> findings = Collections.synchronizedList(new ArrayList<>());

  Recovery(
      Wiring wiring,
      Inventory inventory,
      RecordStore<PodRecord> podRecords,
      RecordStore<ContainerRecord> containerRecords,
      RecordStore<Intent> intents,
      PodLifecycle pods,
      ContainerLifecycle containers,
      ContainerRuns runs,
      WritableLayers layers) {
    this.wiring = wiring;
    this.inventory = inventory;
    this.podRecords = podRecords;
    this.containerRecords = containerRecords;
    this.intents = intents;
    this.pods = pods;
    this.containers = containers;
    this.runs = runs;
    this.layers = layers;
  }

  /** Does all of it; answers one sentence for each thing that was not as it should be. */
  List<String> run() {
    long began = System.nanoTime();
    load();
    long loaded = System.nanoTime();
    wiring.failPoints().hit("recovery.pods");
    try (Together together = new Together("recovery")) {
      inventory.pods().forEach(pod -> together.run(() -> recoverPod(pod)));
    }
    wiring.failPoints().hit("recovery.half-made");
    undoHalfMade();
    long podsDone = System.nanoTime();
    wiring.failPoints().hit("recovery.containers");
    try (Together together = new Together("recovery")) {
      // What no record names does not depend on how those stand that one names.
      wiring.failPoints().hit("recovery.unknown");
      collect(together);
      inventory.containers().forEach(container -> together.run(() -> recoverContainer(container)));
    }
    long done = System.nanoTime();
    wiring.failPoints().hit("recovery.end");
    log.info(
        "recovered {} pods, {} containers in {} ms: records {}, pods {}, containers {}",
        inventory.pods().size(),
        inventory.containers().size(),
        millis(began, done),
        millis(began, loaded),
        millis(loaded, podsDone),
        millis(podsDone, done));
    List<String> told = List.copyOf(findings);
    wiring
        .events()
        .publish(
            new DaemonEvent.Recovered(
                inventory.pods().size(), inventory.containers().size(), told));
    return told;
  }

  private static long millis(long from, long to) {
    return TimeUnit.NANOSECONDS.toMillis(to - from);
  }

  private void load() {
    Future<RecordStore.Loaded<ContainerRecord>> loaded;
    try (Together together = new Together("recovery")) {
      loaded = together.get(containerRecords::load);
      loadPods();
    }
    loadContainers(loaded.resultNow());
  }

  private void loadPods() {
    RecordStore.Loaded<PodRecord> loaded = podRecords.load();
    loaded.damaged().forEach(this::report);
    for (PodRecord record : loaded.records()) {
      pods.labels().reserve(record.labels());
      inventory.add(new Pod(record, false));
    }
  }

  private void loadContainers(RecordStore.Loaded<ContainerRecord> loaded) {
    loaded.damaged().forEach(this::report);
    for (ContainerRecord record : loaded.records()) {
      if (inventory.findPod(record.podId()).isEmpty()) {
        finding("container %s was of pod %s, which is gone".formatted(record.id(), record.podId()));
        attempt(
            record.id(),
            () -> {
              endKeeper(wiring.layout().keeper(record.id()));
              containers.releaseById(record.id(), record.cgroup());
              containerRecords.remove(record.id(), Durability.POWER_CUT);
            });
        continue;
      }
      ContainerState state =
          record
              .end()
              .<ContainerState>map(
                  end -> new ContainerState.Exited(end.startedAt(), end.finishedAt(), end.cause()))
              .orElseGet(ContainerState.Created::new);
      pods.labels().reserve(record.labels());
      inventory.add(new Container(record, state, false));
    }
  }

  private void report(RecordStore.Damaged damaged) {
    finding(
        "%s was no record and was moved to %s: %s"
            .formatted(damaged.file(), damaged.movedTo(), damaged.why()));
  }

  private void recoverPod(Pod pod) {
    attempt(
        pod.id(),
        () -> {
          switch (pod.record().phase()) {
            case READY -> {
              if (!pod.record().bootId().equals(bootId)) {
                loseSandbox(pod, "the node was restarted");
              } else if (!pods.namespaces().stand(pod)) {
                loseSandbox(pod, "its namespaces are gone");
              } else {
                adoptInit(pod);
              }
            }
            case STOPPING -> adoptInit(pod);
            case STOPPED -> {}
          }
        });
  }

  private void loseSandbox(Pod pod, String why) {
    findings.add("pod %s is not ready any more: %s".formatted(pod.id(), why));
    pods.lose(pod, why);
  }

  private void adoptInit(Pod pod) {
    Path directory = wiring.layout().podInit(pod.id());
    if (!Files.isDirectory(directory)) {
      return;
    }
    switch (wiring.launcher().adopt(directory)) {
      case Adopted.Held(var init) -> pods.inits().hold(pod, init);
      case Adopted.NeverStarted _ -> Layout.removeDirectory(directory);
      case Adopted.Ended _, Adopted.Lost _ -> {
        Layout.removeDirectory(directory);
        if (pod.isReady()) {
          loseSandbox(pod, "the first process of its pid namespace ended");
        }
      }
    }
  }

  private void recoverContainer(Container container) {
    boolean known =
        attempt(
            container.id(),
            () -> {
              Path keeper = wiring.layout().keeper(container.id());
              boolean sameBoot = container.record().bootId().equals(bootId);
              if (container.record().end().isPresent()) {
                releaseEnded(container, keeper, sameBoot);
              } else if (!sameBoot) {
                lost(container, "the node was restarted");
              } else if (Files.isDirectory(keeper)) {
                adopt(container, keeper);
              }
            });
    if (!known && container.state() instanceof ContainerState.Created) {
      // It may be running: a stop or a removal looks again.
      container.state(new ContainerState.Unknown(Optional.empty(), "it could not be recovered"));
    }
  }

  /** The exit was stored, but the daemon may have died before it let go of the keeper. */
  private void releaseEnded(Container container, Path keeper, boolean sameBoot) {
    if (sameBoot && Files.isDirectory(keeper)) {
      if (wiring.launcher().adopt(keeper) instanceof Adopted.Held(var live)) {
        live.kill(Signals.SIGKILL);
        awaitEnd(container, live);
        live.acknowledge();
        live.close();
      }
      runs.ends().releaseRuntimeParts(container);
    }
  }

  private void awaitEnd(Container container, LiveContainer live) {
    try {
      if (live.awaitExit(wiring.config().killPatience()).isEmpty()) {
        finding("process %d of container %s does not die".formatted(live.pid(), container.id()));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void adopt(Container container, Path keeper) {
    Pod pod = inventory.pod(container.podId());
    switch (wiring.launcher().adopt(keeper)) {
      case Adopted.Held(var live) -> runs.takeOver(container, pod, live);
      case Adopted.Ended(ExitRecord exit) -> {
        // The keeper was let go, so its exit had been stored or its output is lost with it.
        container.state(new ContainerState.Unknown(startedAt(container), "its keeper is gone"));
        runs.ends().ended(container, exit);
      }
      case Adopted.NeverStarted _ -> {
        finding("the start of container %s was cut short and undone".formatted(container.id()));
        runs.ends().releaseRuntimeParts(container);
      }
      case Adopted.Lost _ -> lost(container, "its keeper was killed");
    }
  }

  private void lost(Container container, String why) {
    finding("nobody saw how container %s ended: %s".formatted(container.id(), why));
    runs.ends().lost(container, why);
  }

  private Optional<Instant> startedAt(Container container) {
    if (!Files.isDirectory(wiring.layout().container(container.id()))) {
      return Optional.empty();
    }
    return runs.ends().startRecords(container).load().records().stream()
        .findFirst()
        .map(StartRecord::startedAt);
  }

  /** Takes back what was being made when the last daemon died. */
  private void undoHalfMade() {
    for (Intent intent : intents.load().records()) {
      attempt(
          intent.id(),
          () -> {
            switch (intent.kind()) {
              case POD -> {
                if (inventory.findPod(intent.id()).isEmpty()) {
                  finding("pod %s was half made and is undone".formatted(intent.id()));
                  pods.releaseById(
                      new PodRef(intent.id(), "", "", ""),
                      intent.cgroup().orElse(""),
                      isOwn(intent));
                }
              }
              case CONTAINER -> {
                if (inventory.findContainer(intent.id()).isEmpty()) {
                  finding("container %s was half made and is undone".formatted(intent.id()));
                  containers.releaseById(intent.id(), intent.cgroup().orElse(""));
                }
              }
            }
            intents.remove(intent.id(), Durability.CRASH);
          });
    }
  }

  private boolean isOwn(Intent intent) {
    return intent.cgroup().filter(path -> wiring.cgroups().isOwn(path, intent.id())).isPresent();
  }

  /** Releases what carries an id that no record has. */
  private void collect(Together together) {
    Set<String> podIds = new HashSet<>();
    Set<String> attached = new HashSet<>();
    for (Pod pod : inventory.pods()) {
      podIds.add(pod.id());
      if (!pod.hostNetwork() && pod.record().phase() != PodRecord.Phase.STOPPED) {
        attached.add(pod.id());
      }
    }
    Set<String> containerIds = new HashSet<>();
    inventory.containers().forEach(container -> containerIds.add(container.id()));
    together.run(() -> attempt("networks", () -> wiring.network().gc(attached)));
    together.run(
        () ->
            attempt(
                "cgroups",
                () ->
                    wiring
                        .cgroups()
                        .collect(podIds)
                        .forEach(path -> finding("cgroup %s belonged to no pod".formatted(path)))));
    together.run(
        () -> attempt("volumes", () -> wiring.volumes().named().retainUsers(containerIds)));
    together.run(() -> collectDirectories(podIds, containerIds));
  }

  private void collectDirectories(Set<String> podIds, Set<String> containerIds) {
    for (String id : idsBelow(wiring.layout().containers())) {
      if (!containerIds.contains(id)) {
        finding("container %s has a directory and no record".formatted(id));
        attempt(id, () -> releaseUnknownContainer(id));
      }
    }
    for (String id : idsBelow(wiring.layout().pods())) {
      if (!podIds.contains(id)) {
        finding("pod %s has a directory and no record".formatted(id));
        attempt(id, () -> releaseUnknownPod(id));
      }
    }
    for (String key : wiring.images().snapshotKeys()) {
      if (Ids.isId(key) && !containerIds.contains(key)) {
        finding("snapshot %s belongs to no container".formatted(key));
        attempt(key, () -> layers.remove(key));
      }
    }
  }

  /** Ends and removes what carries the id of a pod that no record names. */
  void releaseUnknownPod(String id) {
    endKeeper(wiring.layout().podInit(id));
    pods.releaseById(new PodRef(id, "", "", ""), wiring.cgroups().podPath("", id), true);
  }

  /** Ends and removes what carries the id of a container that no record names. */
  void releaseUnknownContainer(String id) {
    endKeeper(wiring.layout().keeper(id));
    runs.ends().giveBackDevices(id);
    Layout.removeDirectory(wiring.layout().container(id));
    layers.remove(id);
  }

  /** Ends a process that no record names, and the keeper with it. */
  private void endKeeper(Path keeper) {
    if (Files.isDirectory(keeper)
        && wiring.launcher().adopt(keeper) instanceof Adopted.Held(var live)) {
      live.kill(Signals.SIGKILL);
      try {
        if (live.awaitExit(wiring.config().killPatience()).isPresent()) {
          live.acknowledge();
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      live.close();
    }
  }

  private static List<String> idsBelow(Path directory) {
    if (!Files.isDirectory(directory)) {
      return List.of();
    }
    try (Stream<Path> entries = Files.list(directory)) {
      return entries.map(path -> path.getFileName() + "").filter(Ids::isId).toList();
    } catch (IOException e) {
      log.error("cannot list {}: {}", directory, e.toString());
      return List.of();
    }
  }

  private void finding(String sentence) {
    log.warn("{}", sentence);
    findings.add(sentence);
  }

  private boolean attempt(String what, Runnable step) {
    try {
      step.run();
      return true;
    } catch (RuntimeException e) {
      log.error("recovering {} failed: {}", what, e.getMessage(), e);
      findings.add("recovering %s failed: %s".formatted(what, e.getMessage()));
      return false;
    }
  }
}
