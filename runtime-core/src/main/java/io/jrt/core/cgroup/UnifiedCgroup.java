package io.jrt.core.cgroup;

import io.jrt.core.launch.CgroupPlacement;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Errno;
import io.jrt.linux.Kernel;
import io.jrt.linux.KernelException;
import io.jrt.linux.Signals;
import io.jrt.security.DeviceRule;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** A cgroup of v2. */
final class UnifiedCgroup implements Cgroup {
  private final Kernel kernel;
  private final String path;
  private final CgroupDir dir;
  private final List<String> hugepageSizes;
  private final DeviceFilter devices;

  UnifiedCgroup(
      Kernel kernel, String path, CgroupDir dir, List<String> hugepageSizes, DeviceFilter devices) {
    this.kernel = kernel;
    this.path = path;
    this.dir = dir;
    this.hugepageSizes = hugepageSizes;
    this.devices = devices;
  }

  CgroupDir dir() {
    return dir;
  }

  @Override
  public String path() {
    return path;
  }

  @Override
  public void update(Resources resources) {
    Map<String, Long> memory = FlatKeyed.parse(dir.read("memory.stat").orElse(""));
    long file = memory.getOrDefault("active_file", 0L) + memory.getOrDefault("inactive_file", 0L);
    MemoryCheck.limitAboveUsage(
        dir, resources.memory().limit(), FlatKeyed.number(dir.read("memory.current")) - file);
    UnifiedSettings.of(dir, resources).apply();
  }

  @Override
  public CgroupStats stats() {
    return once(path, meter());
  }

  static CgroupStats once(String path, CgroupMeter meter) {
    try (meter) {
      return meter
          .read()
          .orElseThrow(
              () ->
                  new JrtException(
                      ErrorKind.NOT_FOUND, "read cgroup", "cgroup " + path + " was removed"));
    }
  }

  @Override
  public CgroupMeter meter() {
    return new UnifiedStats(kernel.files(), dir, hugepageSizes);
  }

  @Override
  public OomCounters oomCounters() {
    Map<String, Long> all = FlatKeyed.parse(dir.read("memory.events").orElse(""));
    Map<String, Long> here = dir.read("memory.events.local").map(FlatKeyed::parse).orElse(all);
    return new OomCounters(
        all.getOrDefault("oom", 0L),
        all.getOrDefault("oom_kill", 0L),
        here.getOrDefault("oom_kill", 0L));
  }

  @Override
  public Optional<Path> oomEvents() {
    return dir.has("memory.events")
        ? Optional.of(dir.path().resolve("memory.events"))
        : Optional.empty();
  }

  @Override
  public void devices(List<DeviceRule> rules) {
    try {
      devices.attach(dir, rules);
    } catch (KernelException e) {
      throw new JrtException(
          ErrorKind.FAILED_PRECONDITION,
          "set device rules",
          "device rules of cgroup " + path + ": " + e.getMessage(),
          e);
    }
  }

  @Override
  public boolean restoreDevices(List<DeviceRule> rules) {
    if (devices.stands(dir)) {
      return false;
    }
    devices(rules);
    return true;
  }

  @Override
  public void admit(int pid) {
    try {
      dir.write("cgroup.procs", Integer.toString(pid));
    } catch (KernelException e) {
      if (!e.is(Errno.ESRCH)) {
        throw e;
      }
    }
  }

  @Override
  public OpenPlacement placement() {
    return new OpenPlacement(new CgroupPlacement(dir.open(), List.of()));
  }

  @Override
  public void freeze(Duration timeout) {
    write("cgroup.freeze", "1");
    if (!Pause.until(timeout, this::isFrozen)) {
      write("cgroup.freeze", "0");
      throw new JrtException(
          ErrorKind.DEADLINE,
          "freeze cgroup",
          "cgroup " + path + " is not frozen after " + timeout.toMillis() + " ms");
    }
  }

  @Override
  public void thaw() {
    write("cgroup.freeze", "0");
  }

  private void write(String file, String value) {
    try {
      dir.write(file, value);
    } catch (KernelException e) {
      // No directory any more: nothing runs in it.
      if (!e.is(Errno.ENOENT, Errno.ENODEV) || dir.exists()) {
        throw e;
      }
    }
  }

  @Override
  public boolean isFrozen() {
    return event("frozen");
  }

  @Override
  public boolean isPopulated() {
    return event("populated");
  }

  private boolean event(String name) {
    return FlatKeyed.parse(dir.read("cgroup.events").orElse("")).getOrDefault(name, 0L) != 0;
  }

  @Override
  public Set<Integer> processes() {
    return dir.processes();
  }

  @Override
  public void killAll(Duration timeout) {
    if (!dir.exists()) {
      return;
    }
    boolean gone;
    if (dir.has("cgroup.kill")) {
      write("cgroup.kill", "1");
      gone = Pause.until(timeout, () -> !isPopulated());
    } else {
      gone = Pause.until(timeout, this::killRound);
    }
    if (!gone) {
      throw notKilled(path, timeout, processes());
    }
  }

  static JrtException notKilled(String path, Duration timeout, Set<Integer> left) {
    return new JrtException(
        ErrorKind.DEADLINE,
        "kill cgroup",
        "processes %s of cgroup %s still run %d ms after SIGKILL"
            .formatted(left, path, timeout.toMillis()));
  }

  /** For Linux before 5.14. Frozen, so that none can start others meanwhile. */
  private boolean killRound() {
    if (!isPopulated()) {
      return true;
    }
    write("cgroup.freeze", "1");
    try {
      for (int pid : dir.processes()) {
        kernel.processes().kill(pid, Signals.SIGKILL);
      }
    } finally {
      write("cgroup.freeze", "0");
    }
    return !isPopulated();
  }

  @Override
  public void remove() {
    dir.remove();
    devices.forget(dir);
  }

  @Override
  public List<String> children() {
    return dir.children();
  }

  @Override
  public Cgroup child(String name) {
    String below = CgroupPath.check(path + "/" + name);
    CgroupDir made = dir.child(name);
    made.make();
    return new UnifiedCgroup(kernel, below, made, hugepageSizes, devices);
  }
}
