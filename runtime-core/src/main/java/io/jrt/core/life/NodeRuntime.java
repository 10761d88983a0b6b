package io.jrt.core.life;

import io.jrt.core.Bytes;
import io.jrt.core.ContainerConfig;
import io.jrt.core.ContainerFilter;
import io.jrt.core.ContainerRuntime;
import io.jrt.core.ContainerState;
import io.jrt.core.ContainerStats;
import io.jrt.core.ContainerStatus;
import io.jrt.core.ContainerSummary;
import io.jrt.core.Deadline;
import io.jrt.core.Discrepancy;
import io.jrt.core.ExecRequest;
import io.jrt.core.ExecResult;
import io.jrt.core.LinuxResources;
import io.jrt.core.OperationInfo;
import io.jrt.core.PodConfig;
import io.jrt.core.PodFilter;
import io.jrt.core.PodMeasurements;
import io.jrt.core.PodStats;
import io.jrt.core.PodStatus;
import io.jrt.core.PodSummary;
import io.jrt.core.RuntimeCondition;
import io.jrt.core.RuntimeInfo;
import io.jrt.core.device.GpuUse;
import io.jrt.core.device.NodeDevices;
import io.jrt.core.io.AttachRequest;
import io.jrt.core.io.ContainerIo;
import io.jrt.core.io.ExecSession;
import io.jrt.core.io.StreamClient;
import io.jrt.core.io.StreamSession;
import io.jrt.core.launch.LiveContainer;
import io.jrt.core.op.Operation;
import io.jrt.core.op.OperationObserver;
import io.jrt.core.op.Operations;
import io.jrt.core.plugin.PluginContainer;
import io.jrt.core.plugin.PluginPod;
import io.jrt.core.store.ContainerRecord;
import io.jrt.core.store.Intent;
import io.jrt.core.store.PodRecord;
import io.jrt.core.store.RecordStore;
import io.jrt.events.Events;
import io.jrt.events.ImageEvent;
import io.jrt.image.Image;
import io.jrt.linux.Fd;
import io.jrt.linux.NamespaceKind;
import io.jrt.linux.Signals;
import io.jrt.network.NetworkStatus;
import io.jrt.security.SecurityFeatures;
import io.jrt.volumes.SlowMount;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The {@link ContainerRuntime} of this node. */
public final class NodeRuntime implements ContainerRuntime {
  private static final Logger log = LoggerFactory.getLogger(NodeRuntime.class);

  /** A mount that takes this long is told among the operations. */
  private static final Duration SLOW_MOUNT = Duration.ofSeconds(1);

  private final Wiring wiring;
  private final Inventory inventory = new Inventory();
  private final Operations operations;
  private final PodLifecycle pods;
  private final ContainerLifecycle containers;
  private final ContainerRuns runs;
  private final Commands commands;
  private final Statistics statistics;
  private final Limitations limitations = new Limitations();
  private final Inspection inspection;
  private final NodeDevices devices;
  private final List<String> recovered;
  private final Check check;
  private final DeviceWatch deviceWatch;
  private final DeniedCalls deniedCalls;

  /** Recovers what an earlier daemon left, and is ready for requests when it returns. */
  public NodeRuntime(Wiring wiring) {
    this.wiring = wiring;
    this.operations = new Operations(wiring.failPoints());
    RecordStore<PodRecord> podRecords =
        new RecordStore<>(
            wiring.layout().podRecords(), "pod", 1, PodRecord.class, e -> e, wiring.failPoints());
    RecordStore<ContainerRecord> containerRecords =
        new RecordStore<>(
            wiring.layout().containerRecords(),
            "container",
            1,
            ContainerRecord.class,
            e -> e,
            wiring.failPoints());
    RecordStore<Intent> intents =
        new RecordStore<>(
            wiring.layout().intents(), "intent", 1, Intent.class, e -> e, wiring.failPoints());
    this.pods = new PodLifecycle(wiring, inventory, operations, podRecords, intents);
    this.devices = new NodeDevices(wiring.kernel().files(), wiring.config().devices());
    SpecBuilder specs = new SpecBuilder(wiring, pods, inventory, devices);
    this.deniedCalls = new DeniedCalls(wiring, inventory, limitations);
    this.runs =
        new ContainerRuns(
            wiring, inventory, containerRecords, pods, specs, limitations, deniedCalls);
    WritableLayers layers = new WritableLayers(wiring, limitations);
    this.containers =
        new ContainerLifecycle(
            wiring, inventory, operations, containerRecords, intents, pods, runs, specs, layers);
    this.commands = new Commands(wiring, inventory, specs, pods.namespaces());
    this.statistics = new Statistics(wiring, inventory, pods.namespaces(), layers);
    this.inspection = new Inspection(wiring, inventory);
    Recovery recovery =
        new Recovery(
            wiring,
            inventory,
            podRecords,
            containerRecords,
            intents,
            pods,
            containers,
            runs,
            layers);
    this.recovered = recovery.run();
    this.check =
        new Check(wiring, inventory, podRecords, containerRecords, intents, pods, layers, recovery);
    this.deviceWatch = new DeviceWatch(inventory, runs, wiring.config().devices().checkInterval());
  }

  @Override
  public List<Discrepancy> check(boolean repair) {
    return check.run(repair);
  }

  /** Lets somebody hear of operations. */
  public void observe(OperationObserver observer) {
    operations.observe(observer);
  }

  @Override
  public String runPod(PodConfig config, String runtimeHandler, Deadline deadline) {
    return pods.run(config, runtimeHandler, deadline);
  }

  @Override
  public void stopPod(String podId, Deadline deadline) {
    Optional<Pod> found = inventory.findPod(podId);
    if (found.isEmpty()) {
      return;
    }
    Pod pod = found.get();
    operations.run(
        "pod/" + pod.id(), "stop pod", pod.id(), deadline, operation -> stop(operation, pod));
  }

  private void stop(Operation operation, Pod pod) {
    operation.step("stop containers");
    // From here on no container of it can be started, so that the list below is complete.
    pods.unready(pod, "");
    for (Container container : inventory.containersOf(pod.id())) {
      runs.kill(container);
    }
    pods.release(operation, pod);
  }

  @Override
  public void removePod(String podId, Deadline deadline) {
    Optional<Pod> found = inventory.findPod(podId);
    if (found.isEmpty()) {
      return;
    }
    Pod pod = found.get();
    operations.run(
        "pod/" + pod.id(),
        "remove pod",
        pod.id(),
        deadline,
        operation -> {
          if (inventory.findPod(pod.id()).isEmpty()) {
            return;
          }
          stop(operation, pod);
          for (Container container : inventory.containersOf(pod.id())) {
            removeContainer(container.id(), Deadline.none());
          }
          pods.forget(operation, pod);
          statistics.forget(pod.id());
        });
  }

  @Override
  public PodStatus podStatus(String podId) {
    Pod pod = inventory.pod(podId);
    PodRecord record = pod.record();
    return new PodStatus(
        record.id(),
        record.config(),
        pod.state(),
        record.createdAt(),
        pod.isReady() ? record.ips() : List.of(),
        record.runtimeHandler(),
        pod.hostNetwork() ? "" : pods.namespaces().path(pod.id(), NamespaceKind.NET).toString(),
        record.cgroup(),
        inventory.containersOf(pod.id()).stream().map(this::status).toList(),
        Instant.now());
  }

  @Override
  public List<PodSummary> pods(PodFilter filter) {
    return inventory.pods(filter).stream().map(Pod::summary).toList();
  }

  @Override
  public void updatePod(String podId, LinuxResources overhead, LinuxResources resources) {
    Pod pod = inventory.pod(podId);
    operations.run(
        "pod/" + pod.id(),
        "update pod",
        List.of(overhead, resources),
        Deadline.none(),
        operation -> {
          operation.step("apply limits");
          pods.update(pod, overhead, resources);
        });
  }

  @Override
  public String createContainer(String podId, ContainerConfig config, Deadline deadline) {
    return containers.create(podId, config, deadline);
  }

  @Override
  public void startContainer(String containerId, Deadline deadline) {
    Container container = inventory.container(containerId);
    operations.run(
        "container/" + container.id(),
        "start container",
        container.id(),
        deadline,
        operation -> runs.start(operation, container));
  }

  @Override
  public void stopContainer(String containerId, Duration grace, Deadline deadline) {
    Optional<Container> found = inventory.findContainer(containerId);
    if (found.isEmpty()) {
      return;
    }
    Container container = found.get();
    // Stops of different grace times go side by side, so that a shorter one can overtake.
    operations.run(
        "container/%s/stop/%s".formatted(container.id(), grace),
        "stop container",
        grace,
        deadline,
        operation -> {
          operation.step("stop and wait");
          runs.stop(container, grace);
        });
  }

  @Override
  public void removeContainer(String containerId, Deadline deadline) {
    Optional<Container> found = inventory.findContainer(containerId);
    if (found.isEmpty()) {
      return;
    }
    Container container = found.get();
    operations.run(
        "container/" + container.id(),
        "remove container",
        container.id(),
        deadline,
        operation -> {
          if (inventory.findContainer(container.id()).isPresent()) {
            containers.remove(operation, container);
            statistics.forget(container.id());
            deniedCalls.forget(container.id());
          }
        });
  }

  @Override
  public ContainerStatus containerStatus(String containerId) {
    return status(inventory.container(containerId));
  }

  private ContainerStatus status(Container container) {
    ContainerRecord record = container.record();
    String logDirectory =
        inventory
            .findPod(record.podId())
            .map(pod -> pod.record().config().logDirectory())
            .orElse("");
    String logPath = record.config().logPath();
    return new ContainerStatus(
        record.id(),
        record.podId(),
        withImageRefs(record),
        container.state(),
        record.createdAt(),
        record.imageRef(),
        record.imageId(),
        logDirectory.isEmpty() || logPath.isEmpty()
            ? ""
            : Path.of(logDirectory).resolve(logPath).toString(),
        record.resources(),
        Optional.of(record.user().ids()),
        Signals.name(record.process().stopSignal()),
        record.cgroup());
  }

  /** The request, with the ids of the images that are mounted. */
  private static ContainerConfig withImageRefs(ContainerRecord record) {
    ContainerConfig config = record.config();
    if (record.imageVolumes().isEmpty()) {
      return config;
    }
    return config.withMounts(
        config.mounts().stream()
            .map(
                mount -> {
                  String id = record.imageVolumes().get(mount.containerPath());
                  return id == null ? mount : mount.withImageRef(id);
                })
            .toList());
  }

  @Override
  public List<ContainerSummary> containers(ContainerFilter filter) {
    return inventory.containers(filter).stream().map(Container::summary).toList();
  }

  @Override
  public void updateContainer(
      String containerId, LinuxResources resources, Map<String, String> annotations) {
    Container container = inventory.container(containerId);
    operations.run(
        "container/" + container.id(),
        "update container",
        resources,
        Deadline.none(),
        operation -> {
          LinuxResources wanted = pods.plugins().update(container, resources);
          operation.step("apply limits");
          containers.update(container, wanted);
          pods.plugins().updated(container);
        });
  }

  /** Changes limits at the wish of a plugin; no plugin is asked about it. */
  public void limitContainer(String containerId, LinuxResources resources) {
    Container container = inventory.container(containerId);
    operations.run(
        "container/" + container.id(),
        "limit container",
        resources,
        Deadline.none(),
        operation -> {
          operation.step("apply limits");
          containers.update(container, resources);
        });
  }

  /** All pods, as plugins see them. */
  public List<PluginPod> pluginPods() {
    return pods.plugins().pods();
  }

  /** All containers, as plugins see them. */
  public List<PluginContainer> pluginContainers() {
    return pods.plugins().containers();
  }

  @Override
  public void reopenLog(String containerId) {
    commands.reopenLog(containerId);
  }

  @Override
  public ExecResult execSync(String containerId, List<Bytes> command, Duration timeout) {
    return commands.execSync(containerId, command, timeout);
  }

  @Override
  public ExecSession exec(String containerId, ExecRequest request, StreamClient client) {
    return commands.exec(containerId, request, client);
  }

  @Override
  public StreamSession attach(String containerId, AttachRequest request, StreamClient client) {
    return commands.attach(containerId, request, client);
  }

  @Override
  public Fd portForward(String podId, int port) {
    return commands.portForward(podId, port);
  }

  @Override
  public ContainerStats containerStats(String containerId) {
    return statistics.of(inventory.container(containerId));
  }

  @Override
  public List<ContainerStats> containerStats(ContainerFilter filter) {
    return inventory.containers(filter).stream().map(statistics::of).toList();
  }

  @Override
  public PodStats podStats(String podId) {
    return statistics.of(inventory.pod(podId));
  }

  @Override
  public List<PodStats> podStats(PodFilter filter) {
    return inventory.pods(filter).stream().map(statistics::of).toList();
  }

  @Override
  public List<PodMeasurements> podMeasurements(PodFilter filter) {
    return inventory.pods(filter).stream().map(statistics::measure).toList();
  }

  @Override
  public void removeImage(String reference) {
    operations.run(
        "image/" + reference,
        "remove image",
        reference,
        Deadline.none(),
        operation -> {
          operation.step("remove");
          var image = wiring.images().find(reference);
          if (wiring.images().remove(reference)) {
            wiring
                .events()
                .publish(new ImageEvent.Removed(reference, image.map(Image::id).orElse("")));
          }
        });
  }

  @Override
  public List<OperationInfo> operations() {
    List<OperationInfo> all = new ArrayList<>(operations.list());
    for (SlowMount mount : wiring.volumes().slowerThan(SLOW_MOUNT)) {
      all.add(
          new OperationInfo(
              "container/" + mount.owner(),
              mount.abandoned() ? "hanging mount" : "prepare mounts",
              mount.what() + " waits for its file system",
              mount.since(),
              mount.since(),
              Optional.empty(),
              "jrt-mount",
              0));
    }
    return all;
  }

  @Override
  public Events events() {
    return wiring.events();
  }

  @Override
  public NodeDevices devices() {
    return devices;
  }

  @Override
  public List<GpuUse> gpus() {
    Map<String, Set<String>> holders = new HashMap<>();
    for (Container container : inventory.containers()) {
      if (container.state() instanceof ContainerState.Running) {
        ContainerRecord record = container.record();
        for (String node :
            devices.injector().nodes(record.config().devices(), record.cdiDevices())) {
          holders.computeIfAbsent(node, _ -> new TreeSet<>()).add(container.id());
        }
      }
    }
    return devices.discovery().gpus().stream()
        .map(
            gpu ->
                new GpuUse(
                    gpu,
                    gpu.nodes().stream()
                        .flatMap(node -> holders.getOrDefault(node, Set.of()).stream())
                        .distinct()
                        .toList()))
        .toList();
  }

  @Override
  public List<RuntimeCondition> conditions() {
    NetworkStatus network = wiring.network().status();
    return List.of(
        new RuntimeCondition("RuntimeReady", true, "", ""),
        new RuntimeCondition("NetworkReady", network.ready(), network.reason(), network.message()));
  }

  @Override
  public RuntimeInfo info() {
    var security = wiring.security().features();
    return new RuntimeInfo(
        wiring.cgroups().driver(),
        wiring.cgroups().version(),
        security.userNamespaces().isEmpty(),
        wiring.volumes().features().recursiveReadOnly(),
        wiring.config().runtimeHandlers(),
        protections(security),
        all(security),
        recovered);
  }

  private static List<String> protections(SecurityFeatures security) {
    List<String> held = new ArrayList<>();
    if (security.selinux().isEmpty()) {
      held.add("containers have SELinux labels");
    }
    if (security.appArmor().isEmpty()) {
      held.add("containers have AppArmor profiles");
    }
    if (security.seccomp().isEmpty()) {
      held.add("containers have seccomp filters");
    }
    return held;
  }

  /** What was found at work, and what the kernel or the node lacks from the start. */
  private List<String> all(SecurityFeatures security) {
    List<String> all = new ArrayList<>(limitations.all());
    if (!security.selinux().isEmpty()) {
      all.add("containers have no SELinux labels: " + security.selinux());
    }
    if (!security.appArmor().isEmpty()) {
      all.add("containers have no AppArmor profile: " + security.appArmor());
    }
    if (!security.seccomp().isEmpty()) {
      all.add("containers have no seccomp filter: " + security.seccomp());
    }
    return all;
  }

  @Override
  public void updatePodCidr(String cidr) {
    List<String> ranges =
        Arrays.stream(cidr.split(","))
            .map(String::strip)
            .filter(range -> !range.isEmpty())
            .toList();
    wiring.network().podCidrs(ranges);
  }

  @Override
  public String inspectPod(String podId) {
    return inspection.pod(podId);
  }

  @Override
  public String inspectContainer(String containerId) {
    return inspection.container(containerId);
  }

  /** Waits a while for operations under way, and lets go of what runs without touching it. */
  @Override
  public void close() {
    deviceWatch.close();
    deniedCalls.close();
    operations.drain(Duration.ofSeconds(3));
    pods.leftovers().close();
    for (Container container : inventory.containers()) {
      container.lock().lock();
      try {
        container.unwatch();
        container.io().ifPresent(ContainerIo::close);
        container.io(null);
        container.live().ifPresent(LiveContainer::close);
        container.live(null);
        container.letGoOfImages();
      } catch (RuntimeException e) {
        log.warn("letting go of container {} failed: {}", container.id(), e.getMessage(), e);
      } finally {
        container.lock().unlock();
      }
    }
    for (Pod pod : inventory.pods()) {
      pod.init().ifPresent(LiveContainer::close);
      pod.init(null);
    }
    if (inventory.containers().stream().anyMatch(NodeRuntime::isUnsettled)) {
      log.info("containers stay as they are; the next daemon takes them over");
    }
  }

  private static boolean isUnsettled(Container container) {
    return !(container.state() instanceof ContainerState.Exited);
  }
}
