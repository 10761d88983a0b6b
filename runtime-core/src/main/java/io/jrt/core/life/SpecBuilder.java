package io.jrt.core.life;

import io.jrt.core.CapabilityChanges;
import io.jrt.core.ContainerConfig;
import io.jrt.core.ContainerSecurity;
import io.jrt.core.ContainerState;
import io.jrt.core.EnvVar;
import io.jrt.core.NamespaceMode;
import io.jrt.core.SecurityProfile;
import io.jrt.core.device.DeviceInjection;
import io.jrt.core.device.NodeDevices;
import io.jrt.core.device.PluginEdits;
import io.jrt.core.launch.CString;
import io.jrt.core.launch.Capabilities;
import io.jrt.core.launch.CgroupPlacement;
import io.jrt.core.launch.Credentials;
import io.jrt.core.launch.DeviceNode;
import io.jrt.core.launch.LaunchSpec;
import io.jrt.core.launch.LiveContainer;
import io.jrt.core.launch.MountStep;
import io.jrt.core.launch.NamespacePlan;
import io.jrt.core.launch.NamespaceSource;
import io.jrt.core.launch.ProcessSpec;
import io.jrt.core.launch.SeccompFilter;
import io.jrt.core.launch.StandardLayout;
import io.jrt.core.spec.ProcessPlan;
import io.jrt.core.spec.UserPlan;
import io.jrt.core.store.ContainerRecord;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Fd;
import io.jrt.linux.NamespaceKind;
import io.jrt.security.CapabilityRequest;
import io.jrt.security.CapabilitySet;
import io.jrt.security.DeviceGrant;
import io.jrt.security.DeviceRequest;
import io.jrt.security.DeviceRule;
import io.jrt.security.SelinuxLabels;
import io.jrt.volumes.MountContext;
import io.jrt.volumes.PreparedMount;
import io.jrt.volumes.Propagation;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Turns a container's record into the launch spec: every decision is made here, none later. */
final class SpecBuilder {
  private final Wiring wiring;
  private final PodLifecycle pods;
  private final Inventory inventory;
  private final Rootfs rootfs;
  private final ContainerMounts mounts;
  private final NodeDevices nodeDevices;

  SpecBuilder(Wiring wiring, PodLifecycle pods, Inventory inventory, NodeDevices nodeDevices) {
    this.wiring = wiring;
    this.pods = pods;
    this.inventory = inventory;
    this.rootfs = new Rootfs(wiring.kernel());
    this.mounts = new ContainerMounts(wiring);
    this.nodeDevices = nodeDevices;
  }

  Rootfs rootfs() {
    return rootfs;
  }

  /**
   * Prepares everything that can be prepared from outside.
   *
   * @param podInit the first process of the pod's pid namespace, when the container shares it
   */
  LaunchPlan.Decided build(
      LaunchPlan plan,
      Container container,
      Pod pod,
      Optional<LiveContainer> podInit,
      DeviceInjection injection,
      DeviceGrant devices,
      CgroupPlacement placement) {
    ContainerRecord record = container.record();
    ContainerConfig config = record.config();
    ContainerSecurity security = config.security();
    List<String> notes = new ArrayList<>();

    Optional<Fd> userNamespace = pods.namespaces().open(pod, NamespaceKind.USER).map(plan::own);
    var maps = PodNamespaces.maps(pod);
    Fd mounted =
        plan.own(
            rootfs.mount(
                wiring
                    .images()
                    .snapshot(record.id())
                    .orElseThrow(
                        () ->
                            new JrtException(
                                ErrorKind.DATA_LOSS,
                                "mount rootfs",
                                "container " + record.id() + " has lost its snapshot")),
                userNamespace,
                maps,
                record.labels().mount()));
    SelinuxLabels labels = record.labels();
    List<PreparedMount> volumes =
        plan.own(
            wiring
                .volumes()
                .prepare(
                    mounts.requests(container, pod, injection),
                    new MountContext(record.id(), userNamespace, labels.mount())));
    Rootfs.WithDirectories root =
        rootfs.writableDirectories(mounted, ContainerMounts.imageVolumes(container, volumes));
    if (root.mount() != mounted) {
      plan.own(root.mount());
    }
    root.directories().values().forEach(plan::own);
    List<MountStep> steps =
        new ArrayList<>(mounts.steps(plan, container, pod, root.directories(), volumes));
    byte[] cache = injection.libraries().isEmpty() ? new byte[0] : rootfs.loaderCache(root.mount());
    steps.addAll(mounts.deviceSteps(plan, container, cache, injection));
    if (maps.isPresent()) {
      steps.addAll(new DeviceFiles(wiring.kernel(), maps.get()).steps(plan, devices.nodes()));
    }
    ProcessSpec process = process(record, pod, notes);
    boolean shared =
        volumes.stream().anyMatch(mount -> mount.propagation() == Propagation.BIDIRECTIONAL);
    boolean privileged = security.privileged();
    LaunchSpec spec =
        new LaunchSpec(
            process,
            namespaces(plan, container, pod, podInit, userNamespace),
            root.mount(),
            security.readonlyRootfs(),
            shared,
            steps,
            deviceNodes(devices, maps.isPresent()),
            privileged ? List.of() : paths(security.maskedPaths()),
            privileged ? List.of() : paths(security.readonlyPaths()),
            pods.ipcSysctls(pod),
            pod.hostNetwork() ? "" : pod.record().config().hostname(),
            "",
            placement,
            wiring.config().clampUnpermitted());
    return new LaunchPlan.Decided(spec, process, notes);
  }

  /** The process a container starts with; commands in it get the same rights. */
  ProcessSpec process(ContainerRecord record, Pod pod, List<String> notes) {
    ContainerConfig config = record.config();
    ContainerSecurity security = config.security();
    UserPlan user = record.user();
    CapabilitySet caps = capabilities(security);
    if (!caps.missing().isEmpty()) {
      notes.add("the daemon lacks the capabilities " + String.join(", ", caps.missing()));
    }
    List<CString> environment = new ArrayList<>();
    for (EnvVar variable :
        record.process().withDefaults(List.of(EnvVar.of("HOME", user.home()))).environment()) {
      environment.add(CString.of(join(variable.name() + "=", variable.value().toArray())));
    }
    int oomScore = (int) record.resources().oomScoreAdj();
    return new ProcessSpec(
        record.process().args().stream().map(arg -> CString.of(arg.toArray())).toList(),
        environment,
        CString.of(record.process().workingDirectory()),
        new Credentials(user.ids().uid(), user.ids().gid(), user.ids().supplementalGroups(), 0022),
        new Capabilities(
            caps.bounding(),
            caps.effective(),
            caps.permitted(),
            caps.inheritable(),
            caps.ambient()),
        record.changes().rlimits(),
        security.noNewPrivileges(),
        seccomp(security, caps.bounding(), pod),
        appArmor(security),
        pods.labels().process(record),
        Math.clamp(oomScore, -1000, 1000));
  }

  private CapabilitySet capabilities(ContainerSecurity security) {
    CapabilityChanges changes = security.capabilities();
    return wiring
        .security()
        .capabilities(
            new CapabilityRequest(
                security.privileged(), changes.add(), changes.drop(), changes.addAmbient()));
  }

  private static byte[] join(String first, byte[] second) {
    byte[] head = first.getBytes(StandardCharsets.UTF_8);
    byte[] joined = Arrays.copyOf(head, head.length + second.length);
    System.arraycopy(second, 0, joined, head.length, second.length);
    return joined;
  }

  private SeccompFilter seccomp(ContainerSecurity security, long bounding, Pod pod) {
    if (security.privileged()) {
      return SeccompFilter.NONE;
    }
    SecurityProfile profile = security.seccomp().orElse(SecurityProfile.UNCONFINED);
    return wiring
        .security()
        .seccomp(
            translate(profile),
            bounding,
            DeniedCalls.wanted(wiring.config(), pod.record().config().annotations()))
        .map(SpecBuilder::launchable)
        .orElse(SeccompFilter.NONE);
  }

  private static SeccompFilter launchable(io.jrt.security.SeccompFilter filter) {
    if (!filter.listenerPath().isEmpty()) {
      throw new JrtException(
          ErrorKind.UNIMPLEMENTED,
          "check request",
          "seccomp profile %s hands calls to %s (SCMP_ACT_NOTIFY), which jrt does not do"
              .formatted(filter.profile(), filter.listenerPath()),
          "use SCMP_ACT_ERRNO, SCMP_ACT_ALLOW or SCMP_ACT_LOG for them",
          null);
    }
    return SeccompFilter.of(filter.program(), filter.flags());
  }

  /** A privileged container is confined only by a profile that it names. */
  private String appArmor(ContainerSecurity security) {
    SecurityProfile asked = security.apparmor().orElse(SecurityProfile.RUNTIME_DEFAULT);
    SecurityProfile profile =
        security.privileged() && asked.equals(SecurityProfile.RUNTIME_DEFAULT)
            ? SecurityProfile.UNCONFINED
            : asked;
    return wiring.security().appArmor(translate(profile)).orElse("");
  }

  private static io.jrt.security.SecurityProfile translate(SecurityProfile profile) {
    return switch (profile.type()) {
      case RUNTIME_DEFAULT -> new io.jrt.security.SecurityProfile.RuntimeDefault();
      case UNCONFINED -> new io.jrt.security.SecurityProfile.Unconfined();
      case LOCALHOST -> new io.jrt.security.SecurityProfile.Localhost(profile.localhostRef());
    };
  }

  private NamespacePlan namespaces(
      LaunchPlan plan,
      Container container,
      Pod pod,
      Optional<LiveContainer> podInit,
      Optional<Fd> userNamespace) {
    return new NamespacePlan(
        join(userNamespace),
        pidNamespace(plan, container, podInit),
        join(pods.namespaces().open(pod, NamespaceKind.NET).map(plan::own)),
        join(pods.namespaces().open(pod, NamespaceKind.IPC).map(plan::own)),
        join(pods.namespaces().open(pod, NamespaceKind.UTS).map(plan::own)),
        container.record().config().security().privileged()
            ? NamespaceSource.HOST
            : NamespaceSource.NEW);
  }

  private static NamespaceSource join(Optional<Fd> namespace) {
    return namespace.<NamespaceSource>map(NamespaceSource.Join::new).orElse(NamespaceSource.HOST);
  }

  private NamespaceSource pidNamespace(
      LaunchPlan plan, Container container, Optional<LiveContainer> podInit) {
    var options = container.record().config().security().namespaces();
    return switch (options.pid()) {
      case CONTAINER -> NamespaceSource.NEW;
      case NODE -> NamespaceSource.HOST;
      case POD -> new NamespaceSource.Join(plan.own(pidNamespaceOf(podInit.orElseThrow())));
      case TARGET -> {
        Container target = inventory.container(options.targetId());
        boolean usable =
            target.podId().equals(container.podId())
                && target.state() instanceof ContainerState.Running;
        LiveContainer process =
            target
                .live()
                .filter(_ -> usable)
                .orElseThrow(
                    () ->
                        new JrtException(
                            ErrorKind.FAILED_PRECONDITION,
                            "join namespaces",
                            "target container %s does not run in the same pod"
                                .formatted(target.id())));
        yield new NamespaceSource.Join(plan.own(pidNamespaceOf(process)));
      }
    };
  }

  private Fd pidNamespaceOf(LiveContainer process) {
    Fd pidfd =
        process
            .pidfd()
            .orElseThrow(
                () ->
                    new JrtException(
                        ErrorKind.FAILED_PRECONDITION,
                        "join namespaces",
                        "process %d has ended".formatted(process.pid())));
    return wiring.kernel().namespaces().open(pidfd, process.pid(), NamespaceKind.PID);
  }

  /** Whether a container needs the pod's shared pid namespace. */
  static boolean needsPodInit(ContainerConfig config) {
    return config.security().namespaces().pid() == NamespaceMode.POD;
  }

  /** The CDI devices that a request asks for, by full names. */
  List<String> cdiDevices(ContainerConfig config, ProcessPlan process) {
    return nodeDevices.injector().names(config, process.environment());
  }

  /** What CDI devices and plugins change in their container. */
  DeviceInjection injection(List<String> cdiDevices, List<PluginEdits> edits, UserPlan user) {
    return nodeDevices.injector().inject(cdiDevices, edits, user.ids().uid(), user.ids().gid());
  }

  DeviceInjection injection(ContainerRecord record) {
    return injection(record.cdiDevices(), record.changes().edits(), record.user());
  }

  /** The devices of a request, and those of its CDI devices over them. */
  DeviceGrant devices(ContainerRecord record, DeviceInjection injection) {
    DeviceGrant asked = devices(record.config());
    List<io.jrt.security.DeviceNode> nodes = new ArrayList<>();
    Set<String> replaced = new HashSet<>();
    injection.nodes().forEach(node -> replaced.add(node.path()));
    boolean owned =
        wiring.config().devices().ownedByUser() && !record.config().security().privileged();
    var user = record.user().ids();
    for (io.jrt.security.DeviceNode node : asked.nodes()) {
      if (!replaced.contains(node.path())) {
        nodes.add(owned ? ownedBy(node, user.uid(), user.gid()) : node);
      }
    }
    nodes.addAll(injection.nodes());
    List<DeviceRule> rules = new ArrayList<>(asked.rules());
    rules.addAll(injection.rules());
    return new DeviceGrant(nodes, rules);
  }

  private static io.jrt.security.DeviceNode ownedBy(
      io.jrt.security.DeviceNode node, long uid, long gid) {
    return new io.jrt.security.DeviceNode(
        node.path(),
        node.source(),
        node.type(),
        node.major(),
        node.minor(),
        node.mode(),
        uid > 0 ? uid : node.uid(),
        gid > 0 ? gid : node.gid());
  }

  /** The devices a request grants. */
  private DeviceGrant devices(ContainerConfig config) {
    List<DeviceRequest> requests =
        config.devices().stream()
            .map(
                device ->
                    new DeviceRequest(
                        device.hostPath(), device.containerPath(), device.permissions()))
            .toList();
    return wiring.security().devices(requests, config.security().privileged());
  }

  /** The files to be made in the container; in a user namespace device files are mounted. */
  private static List<DeviceNode> deviceNodes(DeviceGrant grant, boolean mounted) {
    List<DeviceNode> nodes = new ArrayList<>(StandardLayout.devices());
    for (io.jrt.security.DeviceNode node : grant.nodes()) {
      nodes.removeIf(standard -> standard.path().equals(CString.of(node.path())));
      if (mounted && node.type() != 'p') {
        continue;
      }
      nodes.add(
          new DeviceNode(
              CString.of(node.path()),
              CString.of(node.source().toString()),
              switch (node.type()) {
                case 'b' -> DeviceNode.Type.BLOCK;
                case 'p' -> DeviceNode.Type.FIFO;
                default -> DeviceNode.Type.CHARACTER;
              },
              (int) node.major(),
              (int) node.minor(),
              node.mode(),
              node.uid(),
              node.gid()));
    }
    return nodes;
  }

  private static List<CString> paths(List<String> paths) {
    return paths.stream().map(CString::of).toList();
  }

  ContainerMounts mounts() {
    return mounts;
  }

  /** Checks at creation what would otherwise only fail at the start. */
  void check(ContainerConfig config, Pod pod) {
    mounts.check(config);
    devices(config);
    CapabilitySet caps = capabilities(config.security());
    seccomp(config.security(), caps.bounding(), pod);
    appArmor(config.security());
    var namespaces = config.security().namespaces();
    if (namespaces.network() == NamespaceMode.TARGET || namespaces.ipc() == NamespaceMode.TARGET) {
      throw new JrtException(
          ErrorKind.INVALID, "check request", "only the pid namespace can be a target's");
    }
    if (namespaces.pid() == NamespaceMode.TARGET && namespaces.targetId().isEmpty()) {
      throw new JrtException(
          ErrorKind.INVALID, "check request", "pid mode TARGET names no target container");
    }
    if (config.security().privileged() && !pod.record().config().security().privileged()) {
      throw new JrtException(
          ErrorKind.INVALID,
          "check request",
          "a privileged container is not possible in a pod that is not privileged");
    }
  }
}
