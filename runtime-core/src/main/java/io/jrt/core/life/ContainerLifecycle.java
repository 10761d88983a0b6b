package io.jrt.core.life;

import io.jrt.core.ContainerConfig;
import io.jrt.core.ContainerMetadata;
import io.jrt.core.ContainerState;
import io.jrt.core.Deadline;
import io.jrt.core.LinuxResources;
import io.jrt.core.device.DeviceInjection;
import io.jrt.core.op.Operation;
import io.jrt.core.op.Operations;
import io.jrt.core.plugin.PluginChanges;
import io.jrt.core.plugin.PluginContainer;
import io.jrt.core.spec.ProcessMerge;
import io.jrt.core.spec.ProcessPlan;
import io.jrt.core.spec.UserMerge;
import io.jrt.core.spec.UserPlan;
import io.jrt.core.store.BootId;
import io.jrt.core.store.ContainerRecord;
import io.jrt.core.store.Ids;
import io.jrt.core.store.Intent;
import io.jrt.core.store.Layout;
import io.jrt.core.store.RecordStore;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.events.ContainerEvent;
import io.jrt.events.PodEvent;
import io.jrt.image.Image;
import io.jrt.image.Reference;
import io.jrt.image.Snapshot;
import io.jrt.linux.WholeFile.Durability;
import io.jrt.security.SelinuxLabels;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The making and unmaking of containers; {@link ContainerRuns} is what happens between.
 *
 * <p>A container that was made has a snapshot, a record and no process. Nothing of one whose making
 * failed is left, its name least of all.
 */
final class ContainerLifecycle {
  private static final Logger log = LoggerFactory.getLogger(ContainerLifecycle.class);

  private final Wiring wiring;
  private final Inventory inventory;
  private final Operations operations;
  private final RecordStore<ContainerRecord> records;
  private final RecordStore<Intent> intents;
  private final PodLifecycle pods;
  private final ContainerRuns runs;
  private final SpecBuilder specs;
  private final WritableLayers layers;
  private final Ids ids = new Ids();
  private final String bootId = BootId.current();

  ContainerLifecycle(
      Wiring wiring,
      Inventory inventory,
      Operations operations,
      RecordStore<ContainerRecord> records,
      RecordStore<Intent> intents,
      PodLifecycle pods,
      ContainerRuns runs,
      SpecBuilder specs,
      WritableLayers layers) {
    this.wiring = wiring;
    this.inventory = inventory;
    this.operations = operations;
    this.records = records;
    this.intents = intents;
    this.pods = pods;
    this.runs = runs;
    this.specs = specs;
    this.layers = layers;
  }

  String create(String podId, ContainerConfig config, Deadline deadline) {
    Pod pod = inventory.pod(podId);
    ContainerMetadata name = config.metadata();
    if (name.name().isEmpty()) {
      throw new JrtException(ErrorKind.INVALID, "create container", "a container needs a name");
    }
    String key = "pod/%s/container/%s/%d".formatted(pod.id(), name.name(), name.attempt());
    String id =
        operations.run(
            key,
            "create container",
            config,
            deadline,
            String.class,
            operation -> create(operation, pod, config));
    inventory.findContainer(id).ifPresent(Container::markAnswered);
    return id;
  }

  private String create(Operation operation, Pod pod, ContainerConfig config) {
    Optional<Container> before = inventory.containerNamed(pod.id(), config.metadata());
    if (before.isPresent()) {
      Container container = before.get();
      if (!container.answered()
          && container.state() instanceof ContainerState.Created
          && container.record().requested().equals(config)) {
        intents.remove(container.id(), Durability.CRASH);
        return container.id();
      }
      throw new JrtException(
          ErrorKind.ALREADY_EXISTS,
          "create container",
          "container %s attempt %d of pod %s exists as %s"
              .formatted(
                  config.metadata().name(), config.metadata().attempt(), pod.id(), container.id()));
    }
    try {
      return make(operation, pod, config);
    } catch (RuntimeException | Error e) {
      String step = e instanceof JrtException known ? known.step() : "create container";
      wiring
          .events()
          .publish(
              new PodEvent.ContainerFailed(
                  pod.id(),
                  config.metadata().name(),
                  config.image().image(),
                  step,
                  String.valueOf(e.getMessage())));
      throw e;
    }
  }

  private String make(Operation operation, Pod pod, ContainerConfig config) {
    requireReady(pod, "create container");
    operation.step("check request");
    specs.check(config, pod);
    long writable = layers.limit(pod.record().config().annotations());
    operation.step("find image");
    Image image = image(config);
    Map<String, String> imageVolumes = specs.mounts().imageVolumes(config);
    String hostname = pods.directory().hostname(pod.record().config(), pod.hostNetwork());
    ProcessPlan process = ProcessMerge.merge(config, image.config(), hostname);
    String id = ids.next();
    String cgroup = wiring.cgroups().childPath(pod.record().cgroup(), id);
    SelinuxLabels labels = pods.labels().allocate(config, pod.record());
    operation.step("write intent");
    try (var _ = pods.plugins().hold()) {
      intents.put(
          id,
          new Intent(id, Intent.Kind.CONTAINER, Instant.now(), Optional.of(cgroup)),
          Durability.CRASH);
      operation.step("make snapshot");
      Snapshot snapshot = wiring.images().prepareSnapshot(id, image.id());
      layers.apply(snapshot, writable);
      operation.step("decide user");
      UserPlan user =
          specs
              .rootfs()
              .withAccounts(
                  snapshot.lowerDirs(),
                  accounts -> UserMerge.merge(config.security(), process.imageUser(), accounts));
      ContainerRecord record =
          new ContainerRecord(
              id,
              pod.id(),
              config,
              Instant.now(),
              bootId,
              image.id(),
              digest(image, config),
              imageVolumes,
              process,
              user,
              specs.cdiDevices(config, process),
              cgroup,
              config.resources().orElse(LinuxResources.NONE),
              labels,
              PluginChanges.NONE,
              Optional.empty());
      operation.step("ask plugins");
      PluginContainer wanted = pods.plugins().create(pod, record);
      try {
        record = decided(pod, record, wanted);
        specs.mounts().reserveVolumes(id, record.config());
        operation.step("commit");
        records.put(id, record, Durability.POWER_CUT);
        inventory.add(new Container(record, new ContainerState.Created(), false));
        operation.step("answer");
      } catch (Throwable e) {
        pods.plugins().remove(new Container(record, new ContainerState.Created(), false));
        throw e;
      }
    } catch (Throwable e) {
      pods.labels().release(labels);
      undo(id, e);
      throw e;
    }
    intents.remove(id, Durability.CRASH);
    wiring
        .events()
        .publish(
            new ContainerEvent.Created(
                id, pod.id(), config.metadata().name(), config.image().image(), image.id()));
    inventory.findContainer(id).ifPresent(made -> pods.plugins().created(pod, made));
    return id;
  }

  /** The record with what plugins changed, and with what CDI devices change in the process. */
  private ContainerRecord decided(Pod pod, ContainerRecord record, PluginContainer wanted) {
    ContainerConfig config = wanted.config();
    Map<String, String> imageVolumes = record.imageVolumes();
    Optional<ContainerConfig> requested = Optional.empty();
    if (!config.equals(record.config())) {
      specs.check(config, pod);
      imageVolumes = specs.mounts().imageVolumes(config);
      requested = Optional.of(record.config());
    }
    DeviceInjection devices = specs.injection(wanted.cdiDevices(), wanted.edits(), record.user());
    return new ContainerRecord(
        record.id(),
        record.podId(),
        config,
        record.createdAt(),
        record.bootId(),
        record.imageId(),
        record.imageRef(),
        imageVolumes,
        wanted.process().withEntries(devices.environment()),
        record.user().withGroups(devices.groups()),
        wanted.cdiDevices(),
        record.cgroup(),
        wanted.resources(),
        record.labels(),
        new PluginChanges(requested, wanted.edits(), wanted.rlimits()),
        record.end());
  }

  /** The image's name with its digest: where the pod's author has it from, else wherever. */
  private static String digest(Image image, ContainerConfig config) {
    String repository = config.image().written().map(Reference::name).orElse("");
    List<String> digests = image.repoDigests();
    return digests.stream()
        .filter(digest -> digest.startsWith(repository + "@"))
        .findFirst()
        .or(() -> digests.stream().findFirst())
        .orElse(image.id());
  }

  private Image image(ContainerConfig config) {
    String named = config.image().image();
    String reference = named.isEmpty() ? config.image().imageRef() : named;
    return wiring
        .images()
        .find(reference)
        .or(() -> wiring.images().find(config.image().imageRef()))
        .orElseThrow(
            () ->
                new JrtException(
                    ErrorKind.NOT_FOUND,
                    "find image",
                    "image \"" + reference + "\" is not here",
                    "pull it first",
                    null));
  }

  private void undo(String id, Throwable why) {
    inventory.findContainer(id).ifPresent(inventory::remove);
    Runnable release =
        () -> {
          records.remove(id, Durability.POWER_CUT);
          layers.remove(id);
          wiring.volumes().named().release(id);
          intents.remove(id, Durability.CRASH);
        };
    try {
      release.run();
    } catch (RuntimeException | OutOfMemoryError e) {
      pods.leftovers().add("container " + id, release);
      why.addSuppressed(e);
      log.error("undoing container {} failed: {}", id, e.getMessage(), e);
    }
  }

  static void requireReady(Pod pod, String step) {
    if (!pod.isReady()) {
      throw new JrtException(
          ErrorKind.FAILED_PRECONDITION,
          step,
          "pod %s is not ready".formatted(pod.id()),
          "its sandbox was stopped or the node was restarted: run a new one",
          null);
    }
  }

  /** Kills it if it runs, and forgets it; its log stays. */
  void remove(Operation operation, Container container) {
    operation.step("end container");
    runs.kill(container);
    runs.ends().letGoOfKeeper(container);
    operation.step("release container");
    releaseById(container.id(), container.record().cgroup());
    pods.plugins().remove(container);
    operation.step("remove record");
    records.remove(container.id(), Durability.POWER_CUT);
    inventory.remove(container);
    pods.labels().release(container.record().labels());
    container.earlyClients().drop("container " + container.id() + " was removed");
    wiring.events().publish(new ContainerEvent.Removed(container.id(), container.podId()));
  }

  /** Releases everything that carries a container's id, whether it exists or not. */
  void releaseById(String id, String cgroup) {
    Releases releases = new Releases("release container " + id);
    releases.attempt(
        () -> {
          wiring.cgroups().killAll(cgroup);
          wiring.cgroups().remove(cgroup);
        });
    releases.attempt(() -> layers.remove(id));
    releases.attempt(() -> runs.ends().giveBackDevices(id));
    releases.attempt(() -> Layout.removeDirectory(wiring.layout().container(id)));
    releases.attempt(() -> wiring.volumes().named().release(id));
    releases.finish();
  }

  /** Changes limits: all of them, or none. */
  void update(Container container, LinuxResources wanted) {
    container.lock().lock();
    try {
      LinuxResources merged = Resources.merge(container.record().resources(), wanted);
      switch (container.state()) {
        case ContainerState.Created _ -> {}
        case ContainerState.Running _ -> {
          wiring.cgroups().update(container.record().cgroup(), wanted);
          runs.restoreDevices(container);
        }
        case ContainerState.Exited _, ContainerState.Unknown _ ->
            throw new JrtException(
                ErrorKind.FAILED_PRECONDITION,
                "update resources",
                "container %s does not run".formatted(container.id()));
      }
      container.record(container.record().withResources(merged));
      records.put(container.id(), container.record(), Durability.POWER_CUT);
    } finally {
      container.lock().unlock();
    }
    wiring
        .events()
        .publish(
            new ContainerEvent.Updated(
                container.id(),
                container.podId(),
                Map.of("memory", Long.toString(wanted.memoryLimit()))));
  }
}
