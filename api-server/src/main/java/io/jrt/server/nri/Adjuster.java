package io.jrt.server.nri;

import io.jrt.core.Bytes;
import io.jrt.core.ContainerConfig;
import io.jrt.core.DeviceConfig;
import io.jrt.core.EnvVar;
import io.jrt.core.LinuxResources;
import io.jrt.core.MountConfig;
import io.jrt.core.device.CdiEdits;
import io.jrt.core.device.PluginEdits;
import io.jrt.core.launch.Rlimit;
import io.jrt.core.plugin.PluginContainer;
import io.jrt.core.spec.Environment;
import io.jrt.core.spec.ProcessPlan;
import io.jrt.nri.v1alpha1.CDIDevice;
import io.jrt.nri.v1alpha1.ContainerAdjustment;
import io.jrt.nri.v1alpha1.Field;
import io.jrt.nri.v1alpha1.Hook;
import io.jrt.nri.v1alpha1.Hooks;
import io.jrt.nri.v1alpha1.KeyValue;
import io.jrt.nri.v1alpha1.LinuxContainerAdjustment;
import io.jrt.nri.v1alpha1.LinuxDevice;
import io.jrt.nri.v1alpha1.LinuxMemory;
import io.jrt.nri.v1alpha1.LinuxRdt;
import io.jrt.nri.v1alpha1.Mount;
import io.jrt.nri.v1alpha1.POSIXRlimit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * Puts what plugins want, one after the other, over a container that is being made.
 *
 * <p>A name that begins with {@code -} takes away what the request or an earlier plugin set. What
 * two plugins set, and what jrt cannot do, is an error that names the plugin.
 */
final class Adjuster {
  private final PluginContainer asked;
  private final Owners owners = new Owners();
  private final Map<String, String> annotations;
  private final Map<String, Bytes> environment = new LinkedHashMap<>();
  private final List<MountConfig> mounts;
  private final List<DeviceConfig> devices;
  private final Set<String> cdiDevices;
  private final List<PluginEdits> edits = new ArrayList<>();
  private final Map<Integer, Rlimit> rlimits = new HashMap<>();
  private List<Bytes> args;
  private LinuxResources resources;
  private boolean changed;

  Adjuster(PluginContainer asked) {
    this.asked = asked;
    this.annotations = new HashMap<>(asked.config().annotations());
    asked.process().environment().forEach(each -> environment.put(each.name(), each.value()));
    this.mounts = new ArrayList<>(asked.config().mounts());
    this.devices = new ArrayList<>(asked.config().devices());
    this.cdiDevices = new LinkedHashSet<>(asked.cdiDevices());
    this.args = asked.process().args();
    this.resources = asked.resources();
  }

  Owners owners() {
    return owners;
  }

  /** Puts one plugin's wishes over those of the earlier ones. */
  void add(ContainerAdjustment wanted, String plugin) {
    changed |= !wanted.equals(ContainerAdjustment.getDefaultInstance());
    removalsFirst(wanted.getAnnotationsMap().entrySet(), Map.Entry::getKey)
        .forEach(entry -> annotation(entry.getKey(), entry.getValue(), plugin));
    removalsFirst(wanted.getEnvList(), KeyValue::getKey)
        .forEach(variable -> environment(variable, plugin));
    arguments(wanted.getArgsList(), plugin);
    for (CDIDevice device : wanted.getCDIDevicesList()) {
      owners.claim(Field.CdiDevices, device.getName(), plugin);
      cdiDevices.add(device.getName());
    }
    for (POSIXRlimit limit : wanted.getRlimitsList()) {
      owners.claim(Field.Rlimits, limit.getType(), plugin);
      Rlimit known = Rlimits.of(limit, plugin);
      rlimits.put(known.resource(), known);
    }
    LinuxContainerAdjustment linux = wanted.getLinux();
    Resources.refuse(plugin, !linux.getCgroupsPath().isEmpty(), "another cgroup");
    Resources.refuse(plugin, linux.hasIoPriority(), "an i/o priority");
    Resources.refuse(plugin, linux.hasSeccompPolicy(), "a seccomp policy");
    Resources.refuse(plugin, linux.getNamespacesCount() > 0, "other namespaces");
    Resources.refuse(plugin, linux.getSysctlCount() > 0, "sysctls of a container");
    Resources.refuse(plugin, linux.hasScheduler(), "a scheduler");
    Resources.refuse(plugin, linux.hasMemoryPolicy(), "a memory policy");
    if (linux.hasOomScoreAdj()) {
      owners.claim(Field.OomScoreAdj, "", plugin);
      resources = Resources.withOomScore(resources, linux.getOomScoreAdj().getValue());
    }
    if (linux.hasResources()) {
      claim(linux.getResources(), owners, plugin);
      resources = Resources.over(resources, linux.getResources(), plugin);
    }
    List<CdiEdits.Mount> newMounts = new ArrayList<>();
    removalsFirst(wanted.getMountsList(), Mount::getDestination)
        .forEach(mount -> mount(mount, newMounts, plugin));
    List<CdiEdits.Node> nodes = new ArrayList<>();
    removalsFirst(linux.getDevicesList(), LinuxDevice::getPath)
        .forEach(device -> device(device, nodes, plugin));
    List<CdiEdits.NetDevice> netDevices = new ArrayList<>();
    linux
        .getNetDevicesMap()
        .forEach(
            (host, device) -> {
              owners.claim(Field.LinuxNetDevices, host, plugin);
              netDevices.add(
                  new CdiEdits.NetDevice(
                      host, device.getName().isEmpty() ? host : device.getName()));
            });
    edits.add(
        new PluginEdits(
            "nri plugin " + plugin,
            new CdiEdits(
                List.of(),
                nodes,
                netDevices,
                newMounts,
                hooks(wanted.getHooks()),
                List.of(),
                rdt(linux, plugin))));
    edits.removeIf(each -> each.edits().equals(CdiEdits.NONE));
  }

  /** A plugin that takes away and sets the same sets it anew. */
  private static <T> List<T> removalsFirst(Collection<T> wanted, Function<T, String> name) {
    return wanted.stream()
        .sorted(Comparator.comparing(each -> !name.apply(each).startsWith("-")))
        .toList();
  }

  private void annotation(String key, String value, String plugin) {
    if (key.startsWith("-")) {
      annotations.remove(key.substring(1));
      owners.clear(Field.Annotations, key.substring(1));
    } else {
      owners.claim(Field.Annotations, key, plugin);
      annotations.put(key, value);
    }
  }

  private void environment(KeyValue variable, String plugin) {
    String name = variable.getKey();
    if (name.startsWith("-")) {
      environment.remove(name.substring(1));
      owners.clear(Field.Env, name.substring(1));
    } else {
      owners.claim(Field.Env, name, plugin);
      environment.put(name, Bytes.of(variable.getValue()));
    }
  }

  /** A first argument that is empty says that another plugin's are to be replaced. */
  private void arguments(List<String> wanted, String plugin) {
    if (wanted.isEmpty()) {
      return;
    }
    boolean replace = wanted.getFirst().isEmpty();
    if (replace) {
      owners.clear(Field.Args, "");
    }
    owners.claim(Field.Args, "", plugin);
    args = Bytes.listOf(replace ? wanted.subList(1, wanted.size()) : wanted);
  }

  private void mount(Mount wanted, List<CdiEdits.Mount> into, String plugin) {
    boolean remove = wanted.getDestination().startsWith("-");
    String destination = wanted.getDestination().substring(remove ? 1 : 0);
    mounts.removeIf(mount -> mount.containerPath().equals(destination));
    if (remove) {
      owners.clear(Field.Mounts, destination);
      withoutEdits(destination, "");
      into.removeIf(mount -> mount.containerPath().equals(destination));
    } else {
      owners.claim(Field.Mounts, destination, plugin);
      into.add(
          new CdiEdits.Mount(
              wanted.getSource(), destination, wanted.getType(), wanted.getOptionsList()));
    }
  }

  private void device(LinuxDevice wanted, List<CdiEdits.Node> into, String plugin) {
    boolean remove = wanted.getPath().startsWith("-");
    String path = wanted.getPath().substring(remove ? 1 : 0);
    devices.removeIf(device -> device.containerPath().equals(path));
    if (remove) {
      owners.clear(Field.Devices, path);
      withoutEdits("", path);
      into.removeIf(node -> node.path().equals(path));
    } else {
      owners.claim(Field.Devices, path, plugin);
      into.add(
          new CdiEdits.Node(
              path,
              "",
              wanted.getType(),
              Optional.of(wanted.getMajor()),
              Optional.of(wanted.getMinor()),
              wanted.hasFileMode()
                  ? Optional.of(wanted.getFileMode().getValue() & 07777)
                  : Optional.empty(),
              "",
              wanted.hasUid()
                  ? Optional.of(Integer.toUnsignedLong(wanted.getUid().getValue()))
                  : Optional.empty(),
              wanted.hasGid()
                  ? Optional.of(Integer.toUnsignedLong(wanted.getGid().getValue()))
                  : Optional.empty()));
    }
  }

  /** Takes back what earlier plugins wanted at a mount's or a device's path. */
  private void withoutEdits(String destination, String devicePath) {
    edits.replaceAll(
        each -> {
          CdiEdits before = each.edits();
          return new PluginEdits(
              each.plugin(),
              new CdiEdits(
                  before.environment(),
                  before.nodes().stream().filter(n -> !n.path().equals(devicePath)).toList(),
                  before.netDevices(),
                  before.mounts().stream()
                      .filter(m -> !m.containerPath().equals(destination))
                      .toList(),
                  before.hooks(),
                  before.groups(),
                  before.intelRdt()));
        });
  }

  private Optional<CdiEdits.IntelRdt> rdt(LinuxContainerAdjustment linux, String plugin) {
    if (!linux.hasRdt()) {
      return Optional.empty();
    }
    LinuxRdt rdt = linux.getRdt();
    owners.claim(Field.RdtClosID, "", plugin);
    return Optional.of(
        new CdiEdits.IntelRdt(
            rdt.getClosId().getValue(),
            "",
            "",
            rdt.getSchemata().getValueList(),
            rdt.getEnableMonitoring().getValue()));
  }

  private static List<CdiEdits.Hook> hooks(Hooks wanted) {
    List<CdiEdits.Hook> hooks = new ArrayList<>();
    add(hooks, CdiEdits.Hook.Moment.PRESTART, wanted.getPrestartList());
    add(hooks, CdiEdits.Hook.Moment.CREATE_RUNTIME, wanted.getCreateRuntimeList());
    add(hooks, CdiEdits.Hook.Moment.CREATE_CONTAINER, wanted.getCreateContainerList());
    add(hooks, CdiEdits.Hook.Moment.START_CONTAINER, wanted.getStartContainerList());
    add(hooks, CdiEdits.Hook.Moment.POSTSTART, wanted.getPoststartList());
    add(hooks, CdiEdits.Hook.Moment.POSTSTOP, wanted.getPoststopList());
    return hooks;
  }

  private static void add(
      List<CdiEdits.Hook> hooks, CdiEdits.Hook.Moment moment, List<Hook> wanted) {
    for (Hook hook : wanted) {
      hooks.add(
          new CdiEdits.Hook(
              moment,
              hook.getPath(),
              hook.getArgsList(),
              hook.getEnvList(),
              hook.hasTimeout()
                  ? Optional.of(
                      Math.clamp(
                          hook.getTimeout().getValue(), Integer.MIN_VALUE, Integer.MAX_VALUE))
                  : Optional.empty()));
    }
  }

  /** Says of each limit that a plugin sets whose it is. */
  static void claim(io.jrt.nri.v1alpha1.LinuxResources wanted, Owners owners, String plugin) {
    LinuxMemory memory = wanted.getMemory();
    var cpu = wanted.getCpu();
    Map<Field, Boolean> simple =
        Map.of(
            Field.MemLimit, memory.hasLimit(),
            Field.MemSwapLimit, memory.hasSwap(),
            Field.CPUShares, cpu.hasShares(),
            Field.CPUQuota, cpu.hasQuota(),
            Field.CPUPeriod, cpu.hasPeriod(),
            Field.CPUSetCPUs, !cpu.getCpus().isEmpty(),
            Field.CPUSetMems, !cpu.getMems().isEmpty(),
            Field.PidsLimit, wanted.hasPids());
    simple.forEach(
        (field, set) -> {
          if (set) {
            owners.claim(field, "", plugin);
          }
        });
    wanted
        .getHugepageLimitsList()
        .forEach(limit -> owners.claim(Field.HugepageLimits, limit.getPageSize(), plugin));
    wanted.getUnifiedMap().keySet().forEach(key -> owners.claim(Field.CgroupsUnified, key, plugin));
  }

  /** The container as the plugins so far want it. */
  PluginContainer container() {
    if (!changed) {
      return asked;
    }
    ContainerConfig config = asked.config();
    ProcessPlan process = asked.process();
    List<EnvVar> variables = new ArrayList<>();
    environment.forEach((name, value) -> variables.add(new EnvVar(name, value)));
    return new PluginContainer(
        asked.id(),
        asked.podId(),
        config.adjusted(mounts, devices, annotations),
        new ProcessPlan(
            args,
            Environment.of(variables).variables(),
            process.workingDirectory(),
            process.stopSignal(),
            process.imageUser(),
            process.volumes()),
        asked.user(),
        List.copyOf(cdiDevices),
        resources,
        edits,
        List.copyOf(rlimits.values()),
        asked.imageId(),
        asked.imageRef(),
        asked.cgroup(),
        asked.createdAt(),
        asked.state());
  }
}
