package io.jrt.core.life;

import io.jrt.core.LinuxResources;
import io.jrt.core.cgroup.Cgroup;
import io.jrt.core.cgroup.CgroupDriver;
import io.jrt.core.cgroup.CgroupManager;
import io.jrt.core.cgroup.CgroupStats;
import io.jrt.core.cgroup.Meters;
import io.jrt.core.cgroup.OomCounters;
import io.jrt.core.cgroup.OpenPlacement;
import io.jrt.core.cgroup.Resources;
import io.jrt.core.launch.CgroupPlacement;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Kernel;
import io.jrt.linux.MountEntry;
import io.jrt.security.DeviceRule;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;

/** Control groups through the machine's cgroup manager and the configured driver. */
public final class KernelControlGroups implements ControlGroups {
  private static final Duration KILL_PATIENCE = Duration.ofSeconds(10);

  /** Cgroups whose files are held open. */
  private static final int METERED = 300;

  private static final Set<String> V1_WORDS = Set.of("rw", "ro", "seclabel");

  private final CgroupManager manager;
  private final CgroupDriver driver;
  private final Meters meters;
  private final List<Hierarchy> hierarchies;

  public KernelControlGroups(Kernel kernel, CgroupManager manager, CgroupDriver driver) {
    this.manager = manager;
    this.driver = driver;
    this.meters = new Meters(manager, METERED);
    this.hierarchies = manager.version() == 2 ? List.of() : hierarchies(kernel);
  }

  private static List<Hierarchy> hierarchies(Kernel kernel) {
    List<Hierarchy> found = new ArrayList<>();
    Set<String> seen = new HashSet<>();
    for (MountEntry mount : kernel.mounts().mountInfo()) {
      String name = Path.of(mount.target()).getFileName() + "";
      if (mount.fsType().equals("cgroup") && seen.add(name)) {
        List<String> options = new ArrayList<>(mount.superOptions());
        options.removeIf(option -> V1_WORDS.contains(option) || option.startsWith("release_"));
        if (options.stream().anyMatch(option -> option.startsWith("name="))) {
          options.add("none");
        }
        found.add(new Hierarchy(name, options));
      }
    }
    return found;
  }

  @Override
  public String driver() {
    return driver.name();
  }

  @Override
  public int version() {
    return manager.version();
  }

  @Override
  public List<Hierarchy> hierarchies() {
    return hierarchies;
  }

  @Override
  public String podPath(String parent, String podId) {
    return driver.podPath(parent, podId);
  }

  @Override
  public String childPath(String podPath, String id) {
    return driver.path(podPath, id);
  }

  @Override
  public void createPod(String path, LinuxResources resources) {
    if (manager.find(path).isEmpty()) {
      driver.create(path, Resources.of(resources));
    }
  }

  @Override
  public void createContainer(String path, LinuxResources resources, List<DeviceRule> devices) {
    Cgroup cgroup = driver.create(path, Resources.of(resources));
    if (!devices.isEmpty()) {
      cgroup.devices(devices);
    }
  }

  @Override
  public <T> T place(String path, Function<CgroupPlacement, T> launch) {
    Cgroup cgroup =
        manager
            .find(path)
            .orElseThrow(
                () ->
                    new JrtException(
                        ErrorKind.FAILED_PRECONDITION,
                        "enter cgroup",
                        "cgroup " + path + " does not exist"));
    try (OpenPlacement placement = cgroup.placement()) {
      return launch.apply(placement.placement());
    }
  }

  @Override
  public void settle(String path, int keeper) {
    driver.settle(path, keeper);
  }

  @Override
  public boolean isOwn(String path, String podId) {
    return path.equals(driver.podPath("", podId));
  }

  @Override
  public void update(String path, LinuxResources resources) {
    manager.find(path).ifPresent(cgroup -> driver.update(cgroup, Resources.of(resources)));
  }

  @Override
  public boolean restoreDevices(String path, List<DeviceRule> devices) {
    return manager.find(path).map(cgroup -> cgroup.restoreDevices(devices)).orElse(false);
  }

  @Override
  public void killAll(String path) {
    manager.find(path).ifPresent(cgroup -> cgroup.killAll(KILL_PATIENCE));
  }

  @Override
  public Set<Integer> processes(String path) {
    return manager.find(path).map(Cgroup::processes).orElse(Set.of());
  }

  @Override
  public long oomKills(String path) {
    return manager.find(path).map(Cgroup::oomCounters).map(OomCounters::killed).orElse(0L);
  }

  @Override
  public Optional<CgroupStats> stats(String path) {
    return meters.read(path);
  }

  @Override
  public void remove(String path) {
    meters.forget(path);
    manager.find(path).ifPresent(driver::remove);
  }

  @Override
  public void removeAll() {
    collect(Set.of());
    driver.removeOwnParent();
  }

  @Override
  public Map<String, String> own() {
    Map<String, String> paths = new TreeMap<>();
    for (String child : manager.children(driver.ownParent())) {
      driver.podIdOf(child).ifPresent(id -> paths.put(id, driver.ownParent() + "/" + child));
    }
    return paths;
  }

  @Override
  public List<String> collect(Set<String> podIds) {
    Map<String, String> unknown = own();
    unknown.keySet().removeAll(podIds);
    for (String path : unknown.values()) {
      killAll(path);
      remove(path);
    }
    return List.copyOf(unknown.values());
  }
}
