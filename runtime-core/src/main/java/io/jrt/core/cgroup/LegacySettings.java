package io.jrt.core.cgroup;

import io.jrt.core.HugepageLimit;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.util.Map;
import java.util.OptionalLong;

/** From {@link Resources} to the files of the v1 hierarchies. */
final class LegacySettings {
  private final Map<String, CgroupDir> dirs;
  private final Settings settings = new Settings();

  private LegacySettings(Map<String, CgroupDir> dirs) {
    this.dirs = dirs;
  }

  /**
   * @param dirs the cgroup's directory per controller
   */
  static Settings of(Map<String, CgroupDir> dirs, Resources resources) {
    LegacySettings made = new LegacySettings(dirs);
    made.cpu(resources.cpu());
    made.memory(resources.memory());
    if (resources.pids() != 0) {
      long pids = resources.pids();
      made.set("pids", "pids.max", pids < 0 ? "max" : Long.toString(pids));
    }
    for (HugepageLimit limit : resources.hugepages()) {
      made.hugepages(limit);
    }
    made.blockIo(resources.blockIo());
    if (!resources.unified().isEmpty()) {
      throw new JrtException(
          ErrorKind.INVALID,
          "set cgroup limit",
          "unified resources " + resources.unified().keySet() + " need cgroup v2",
          "this machine mounts cgroup v1",
          null);
    }
    return made.settings;
  }

  private CgroupDir dir(String controller, String value) {
    CgroupDir dir = dirs.get(controller);
    if (dir == null) {
      throw new JrtException(
          ErrorKind.FAILED_PRECONDITION,
          "set cgroup limit",
          "no cgroup controller " + controller + " for " + value,
          "the controller is not mounted",
          null);
    }
    return dir;
  }

  private void set(String controller, String file, String value) {
    settings.add(Setting.of(dir(controller, value + " to " + file), file, value));
  }

  private void set(String controller, String file, long value) {
    set(controller, file, Long.toString(value));
  }

  private void cpu(Resources.Cpu cpu) {
    if (cpu.idle()) {
      set("cpu", "cpu.idle", 1);
    } else if (cpu.shares() > 0) {
      set("cpu", "cpu.shares", cpu.shares());
    }
    quota(cpu);
    if (cpu.burst() > 0) {
      set("cpu", "cpu.cfs_burst_us", cpu.burst());
    }
    if (!cpu.cpus().isEmpty()) {
      set("cpuset", "cpuset.cpus", cpu.cpus());
    }
    if (!cpu.mems().isEmpty()) {
      set("cpuset", "cpuset.mems", cpu.mems());
    }
  }

  /** Any pair of quota and period on the way is held against the parent's: avoid a tighter one. */
  private void quota(Resources.Cpu cpu) {
    boolean both = cpu.quota() > 0 && cpu.period() > 0;
    if (both) {
      OptionalLong old = FlatKeyed.limit(dir("cpu", "quota").read("cpu.cfs_period_us"));
      boolean longer = old.isPresent() && old.getAsLong() <= cpu.period();
      if (!longer) {
        // The old quota in the new, shorter period could be more than the parent has.
        set("cpu", "cpu.cfs_quota_us", -1);
      }
      set("cpu", "cpu.cfs_period_us", cpu.period());
      set("cpu", "cpu.cfs_quota_us", cpu.quota());
      return;
    }
    if (cpu.quota() != 0) {
      set("cpu", "cpu.cfs_quota_us", Math.max(-1, cpu.quota()));
    }
    if (cpu.period() != 0) {
      set("cpu", "cpu.cfs_period_us", cpu.period());
    }
  }

  /** The limit of memory and swap may never be below that of memory: order them so. */
  private void memory(Resources.Memory memory) {
    long limit = memory.limit();
    long swap = limit < 0 && memory.swap() == 0 ? -1 : memory.swap();
    if (swap > 0 && limit > 0 && swap < limit) {
      throw new JrtException(
          ErrorKind.INVALID,
          "set cgroup limit",
          "memory and swap limit %d is below the memory limit %d".formatted(swap, limit));
    }
    if (swap > 0 && limit <= 0) {
      throw new JrtException(
          ErrorKind.INVALID,
          "set cgroup limit",
          "memory and swap limit " + swap + " without a memory limit");
    }
    boolean swapFirst = swap != 0 && limit != 0 && raises(swap);
    if (swapFirst) {
      swap(swap, limit);
    }
    if (limit != 0) {
      set("memory", "memory.limit_in_bytes", Math.max(-1, limit));
    }
    if (swap != 0 && !swapFirst) {
      swap(swap, limit);
    }
    if (memory.reservation() != 0) {
      set("memory", "memory.soft_limit_in_bytes", Math.max(-1, memory.reservation()));
    }
  }

  private boolean raises(long swap) {
    OptionalLong old =
        FlatKeyed.limit(dir("memory", "swap limit").read("memory.memsw.limit_in_bytes"));
    return old.isPresent() && (swap < 0 || swap > old.getAsLong());
  }

  private void swap(long swap, long limit) {
    CgroupDir dir = dir("memory", "swap limit");
    Setting setting = Setting.of(dir, "memory.memsw.limit_in_bytes", Math.max(-1, swap));
    // Without swap accounting there is no file, and no swap to be used.
    settings.add(swap < 0 || swap == limit ? setting.ifPresent() : setting);
  }

  private void hugepages(HugepageLimit limit) {
    String prefix = "hugetlb." + limit.pageSize();
    String value = Long.toUnsignedString(limit.limit());
    CgroupDir dir = dirs.get("hugetlb");
    if (dir == null && limit.limit() == 0) {
      return;
    }
    CgroupDir hugetlb = dir("hugetlb", value);
    // In a hybrid set-up the controller may be on the v2 side.
    boolean unified = hugetlb.has("cgroup.controllers");
    String usage = unified ? prefix + ".max" : prefix + ".limit_in_bytes";
    String reserved = unified ? prefix + ".rsvd.max" : prefix + ".rsvd.limit_in_bytes";
    Setting setting = Setting.of(hugetlb, usage, value);
    settings.add(limit.limit() == 0 ? setting.ifPresent() : setting);
    settings.add(Setting.of(hugetlb, reserved, value).ifPresent());
  }

  private void blockIo(Resources.BlockIo io) {
    if (io.weight() != 0) {
      boolean bfq = dir("blkio", "weight").has("blkio.bfq.weight");
      set("blkio", bfq ? "blkio.bfq.weight" : "blkio.weight", io.weight());
    }
    for (Resources.Throttle throttle : io.throttles()) {
      String key = throttle.major() + ":" + throttle.minor();
      throttle("blkio.throttle.read_bps_device", key, throttle.readBytes());
      throttle("blkio.throttle.write_bps_device", key, throttle.writeBytes());
      throttle("blkio.throttle.read_iops_device", key, throttle.readOps());
      throttle("blkio.throttle.write_iops_device", key, throttle.writeOps());
    }
  }

  private void throttle(String file, String key, long value) {
    if (value != 0) {
      // Here 0 means no limit.
      String limit = Long.toString(Math.max(0, value));
      settings.add(Setting.keyed(dir("blkio", limit + " to " + file), file, key, limit, "0"));
    }
  }
}
