package io.jrt.core.cgroup;

import io.jrt.core.launch.CgroupPlacement;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Errno;
import io.jrt.linux.Fd;
import io.jrt.linux.Kernel;
import io.jrt.linux.KernelException;
import io.jrt.linux.Signals;
import io.jrt.security.DeviceRule;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** A cgroup in all v1 hierarchies and, in a hybrid set-up, in the v2 one beside them. */
final class LegacyCgroup implements Cgroup {
  private final Kernel kernel;
  private final String path;

  /** Per hierarchy, in the order they are mounted; comounted controllers share one. */
  private final Map<LegacyHierarchy, CgroupDir> dirs;

  private final Map<String, CgroupDir> byController = new HashMap<>();
  private final Optional<UnifiedCgroup> unified;
  private final List<String> hugepageSizes;

  LegacyCgroup(
      Kernel kernel,
      String path,
      List<LegacyHierarchy> hierarchies,
      Optional<UnifiedCgroup> unified,
      Set<String> unifiedControllers,
      List<String> hugepageSizes) {
    this.kernel = kernel;
    this.path = path;
    this.unified = unified;
    this.hugepageSizes = hugepageSizes;
    this.dirs = new LinkedHashMap<>();
    for (LegacyHierarchy hierarchy : hierarchies) {
      CgroupDir dir = new CgroupDir(kernel.files(), hierarchy.root()).below(path);
      dirs.put(hierarchy, dir);
      hierarchy.controllers().forEach(controller -> byController.put(controller, dir));
    }
    unified.ifPresent(
        cgroup ->
            unifiedControllers.forEach(
                controller -> byController.putIfAbsent(controller, cgroup.dir())));
  }

  Map<String, CgroupDir> byController() {
    return byController;
  }

  private List<CgroupDir> all() {
    List<CgroupDir> all = new ArrayList<>(dirs.values());
    unified.ifPresent(cgroup -> all.add(cgroup.dir()));
    return all;
  }

  boolean exists() {
    return all().stream().anyMatch(CgroupDir::exists);
  }

  @Override
  public String path() {
    return path;
  }

  @Override
  public void update(Resources resources) {
    CgroupDir memory = byController.get("memory");
    if (memory != null && resources.memory().limit() > 0) {
      Map<String, Long> stat = FlatKeyed.parse(memory.read("memory.stat").orElse(""));
      long file =
          stat.getOrDefault("total_active_file", 0L) + stat.getOrDefault("total_inactive_file", 0L);
      MemoryCheck.limitAboveUsage(
          memory,
          resources.memory().limit(),
          FlatKeyed.number(memory.read("memory.usage_in_bytes")) - file);
    }
    LegacySettings.of(byController, resources).apply();
  }

  @Override
  public CgroupStats stats() {
    return UnifiedCgroup.once(path, meter());
  }

  @Override
  public CgroupMeter meter() {
    return new LegacyStats(
        kernel.files(), byController, unified.map(UnifiedCgroup::dir).orElse(null), hugepageSizes);
  }

  @Override
  public OomCounters oomCounters() {
    CgroupDir memory = byController.get("memory");
    if (memory == null) {
      return OomCounters.NONE;
    }
    // Each v1 cgroup counts for itself only.
    long here = killed(memory);
    return new OomCounters(0, here + killedBelow(memory), here);
  }

  private static long killed(CgroupDir dir) {
    return FlatKeyed.parse(dir.read("memory.oom_control").orElse("")).getOrDefault("oom_kill", 0L);
  }

  private static long killedBelow(CgroupDir dir) {
    long sum = 0;
    for (String name : dir.children()) {
      CgroupDir child = dir.child(name);
      sum += killed(child) + killedBelow(child);
    }
    return sum;
  }

  @Override
  public Optional<Path> oomEvents() {
    return Optional.empty();
  }

  @Override
  public void devices(List<DeviceRule> rules) {
    CgroupDir dir = byController.get("devices");
    if (dir == null) {
      unified
          .orElseThrow(
              () ->
                  new JrtException(
                      ErrorKind.FAILED_PRECONDITION,
                      "set device rules",
                      "no devices controller and no cgroup v2 for cgroup " + path))
          .devices(rules);
      return;
    }
    deviceRule(dir, "devices.deny", "a");
    for (DeviceRule rule : rules) {
      deviceRule(dir, rule.allow() ? "devices.allow" : "devices.deny", text(rule));
    }
  }

  @Override
  public boolean restoreDevices(List<DeviceRule> rules) {
    CgroupDir dir = byController.get("devices");
    if (dir == null) {
      return unified.map(cgroup -> cgroup.restoreDevices(rules)).orElse(false);
    }
    LegacyDevices wanted = LegacyDevices.of(rules);
    LegacyDevices now = LegacyDevices.parse(dir.read("devices.list").orElse(""));
    if (!wanted.allowsAll() && !now.isWithin(wanted)) {
      devices(rules);
      return true;
    }
    List<String> missing = wanted.missing(now);
    missing.forEach(rule -> deviceRule(dir, "devices.allow", rule));
    return !missing.isEmpty();
  }

  private void deviceRule(CgroupDir dir, String file, String value) {
    try {
      dir.write(file, value);
    } catch (KernelException e) {
      throw new JrtException(
          e.is(Errno.EPERM) ? ErrorKind.DENIED : ErrorKind.INVALID,
          "set device rules",
          "%s refuses %s: %s".formatted(dir.path().resolve(file), value, e.errno().description()),
          e);
    }
  }

  private static String text(DeviceRule rule) {
    if (rule.type() == 'a') {
      return "a";
    }
    return LegacyDevices.device(rule) + " " + rule.access();
  }

  @Override
  public void admit(int pid) {
    for (CgroupDir dir : dirs.values()) {
      try {
        dir.write("cgroup.procs", Integer.toString(pid));
      } catch (KernelException e) {
        if (!e.is(Errno.ESRCH)) {
          throw e;
        }
      }
    }
    unified.ifPresent(cgroup -> cgroup.admit(pid));
  }

  @Override
  public OpenPlacement placement() {
    List<Fd> tasks = new ArrayList<>();
    try {
      for (CgroupDir dir : dirs.values()) {
        tasks.add(dir.openForWriting("tasks"));
      }
      return new OpenPlacement(
          new CgroupPlacement(unified.map(cgroup -> cgroup.dir().open()).orElse(null), tasks));
    } catch (RuntimeException e) {
      tasks.forEach(Fd::close);
      throw e;
    }
  }

  @Override
  public void freeze(Duration timeout) {
    CgroupDir freezer = freezer();
    // A process that is just being born can escape the first write; each further one catches it.
    boolean frozen =
        Pause.until(
            timeout,
            () -> {
              freezer.write("freezer.state", "FROZEN");
              return isFrozen();
            });
    if (!frozen) {
      thaw();
      throw new JrtException(
          ErrorKind.DEADLINE,
          "freeze cgroup",
          "cgroup " + path + " is not frozen after " + timeout.toMillis() + " ms");
    }
  }

  private CgroupDir freezer() {
    CgroupDir freezer = byController.get("freezer");
    if (freezer == null) {
      throw new JrtException(
          ErrorKind.FAILED_PRECONDITION, "freeze cgroup", "no freezer controller is mounted");
    }
    return freezer;
  }

  @Override
  public void thaw() {
    try {
      freezer().write("freezer.state", "THAWED");
    } catch (KernelException e) {
      if (!e.is(Errno.ENOENT, Errno.ENODEV)) {
        throw e;
      }
    }
  }

  @Override
  public boolean isFrozen() {
    CgroupDir freezer = byController.get("freezer");
    return freezer != null && freezer.read("freezer.state").filter("FROZEN"::equals).isPresent();
  }

  @Override
  public Set<Integer> processes() {
    Set<Integer> pids = new HashSet<>();
    for (CgroupDir dir : all()) {
      pids.addAll(dir.processes());
    }
    return pids;
  }

  @Override
  public boolean isPopulated() {
    return all().stream().anyMatch(dir -> !dir.processes().isEmpty());
  }

  @Override
  public void killAll(Duration timeout) {
    long end = System.nanoTime() + timeout.toNanos();
    if (unified.isPresent() && unified.get().isPopulated()) {
      // In a hybrid set-up one write kills all, and none can escape by forking.
      unified.get().killAll(timeout);
    }
    Duration left = Duration.ofNanos(Math.max(0, end - System.nanoTime()));
    if (!Pause.until(left, this::killRound)) {
      throw UnifiedCgroup.notKilled(path, timeout, processes());
    }
  }

  /** Frozen, so that none can start others meanwhile. */
  private boolean killRound() {
    Set<Integer> pids = processes();
    if (pids.isEmpty()) {
      return true;
    }
    CgroupDir freezer = byController.get("freezer");
    if (freezer == null || !freezer.exists()) {
      kill(pids);
      return false;
    }
    freezer.write("freezer.state", "FROZEN");
    try {
      kill(processes());
    } finally {
      thaw();
    }
    return false;
  }

  private void kill(Set<Integer> pids) {
    for (int pid : pids) {
      kernel.processes().kill(pid, Signals.SIGKILL);
    }
  }

  @Override
  public void remove() {
    all().forEach(CgroupDir::remove);
  }

  @Override
  public List<String> children() {
    Set<String> names = new TreeSet<>();
    all().forEach(dir -> names.addAll(dir.children()));
    return List.copyOf(names);
  }

  @Override
  public Cgroup child(String name) {
    String below = CgroupPath.check(path + "/" + name);
    dirs.forEach((hierarchy, dir) -> hierarchy.make(dir, dir.child(name), new ArrayList<>()));
    Optional<UnifiedCgroup> unifiedChild =
        unified.map(cgroup -> (UnifiedCgroup) cgroup.child(name));
    return new LegacyCgroup(
        kernel, below, List.copyOf(dirs.keySet()), unifiedChild, Set.of(), hugepageSizes);
  }
}
