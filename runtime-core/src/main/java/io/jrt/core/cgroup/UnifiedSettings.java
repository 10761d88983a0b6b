package io.jrt.core.cgroup;

import io.jrt.core.HugepageLimit;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.util.Map;
import java.util.TreeMap;

/** From {@link Resources} to the files of v2. */
final class UnifiedSettings {
  private static final long DEFAULT_PERIOD = 100_000;

  private final CgroupDir dir;
  private final Settings settings = new Settings();

  private UnifiedSettings(CgroupDir dir) {
    this.dir = dir;
  }

  static Settings of(CgroupDir dir, Resources resources) {
    UnifiedSettings made = new UnifiedSettings(dir);
    made.cpu(resources.cpu());
    made.memory(resources.memory());
    made.pids(resources.pids());
    for (HugepageLimit limit : resources.hugepages()) {
      made.hugepages(limit);
    }
    made.blockIo(resources.blockIo());
    made.unified(resources.unified());
    return made.settings;
  }

  private void cpu(Resources.Cpu cpu) {
    if (cpu.idle()) {
      settings.add(Setting.of(dir, "cpu.idle", 1));
    } else if (cpu.shares() > 0) {
      settings.add(Setting.of(dir, "cpu.weight", CpuWeight.ofShares(cpu.shares())));
    }
    if (cpu.burst() > 0) {
      // The burst may not exceed the quota at any moment.
      settings.add(Setting.of(dir, "cpu.max.burst", 0));
    }
    if (cpu.quota() != 0 || cpu.period() != 0) {
      settings.add(Setting.of(dir, "cpu.max", cpuMax(cpu)));
    }
    if (cpu.burst() > 0) {
      settings.add(Setting.of(dir, "cpu.max.burst", cpu.burst()));
    }
    if (!cpu.cpus().isEmpty()) {
      settings.add(Setting.of(dir, "cpuset.cpus", cpu.cpus()));
    }
    if (!cpu.mems().isEmpty()) {
      settings.add(Setting.of(dir, "cpuset.mems", cpu.mems()));
    }
  }

  /** Quota and period are one file: what is not given stays. */
  private String cpuMax(Resources.Cpu cpu) {
    String[] old = dir.read("cpu.max").orElse("max " + DEFAULT_PERIOD).split(" ", 2);
    String quota = old[0];
    if (cpu.quota() != 0) {
      quota = cpu.quota() < 0 ? "max" : Long.toString(cpu.quota());
    }
    String period = old.length > 1 ? old[1] : Long.toString(DEFAULT_PERIOD);
    if (cpu.period() != 0) {
      period = Long.toString(cpu.period());
    }
    return quota + " " + period;
  }

  private void memory(Resources.Memory memory) {
    if (memory.limit() != 0) {
      settings.add(Setting.of(dir, "memory.max", orMax(memory.limit())));
    }
    swap(memory);
    if (memory.reservation() != 0) {
      settings.add(Setting.of(dir, "memory.low", orMax(memory.reservation())));
    }
  }

  /** Requests count memory and swap together, the file swap alone. */
  private void swap(Resources.Memory memory) {
    if (memory.swap() == 0) {
      if (memory.limit() < 0) {
        settings.add(Setting.of(dir, "memory.swap.max", "max").ifPresent());
      }
      return;
    }
    if (memory.swap() < 0) {
      settings.add(Setting.of(dir, "memory.swap.max", "max").ifPresent());
      return;
    }
    if (memory.limit() <= 0 || memory.swap() < memory.limit()) {
      throw new JrtException(
          ErrorKind.INVALID,
          "set cgroup limit",
          "memory and swap limit %d is below the memory limit %d"
              .formatted(memory.swap(), memory.limit()));
    }
    long swap = memory.swap() - memory.limit();
    Setting setting = Setting.of(dir, "memory.swap.max", swap);
    // Without swap accounting there is no file, and no swap to be used.
    settings.add(swap == 0 ? setting.ifPresent() : setting);
  }

  private void pids(long limit) {
    if (limit != 0) {
      settings.add(Setting.of(dir, "pids.max", orMax(limit)));
    }
  }

  private void hugepages(HugepageLimit limit) {
    String prefix = "hugetlb." + limit.pageSize();
    String value = Long.toUnsignedString(limit.limit());
    Setting usage = Setting.of(dir, prefix + ".max", value);
    // The kubelet sends 0 for every size, also to machines without the controller.
    settings.add(limit.limit() == 0 ? usage.ifPresent() : usage);
    settings.add(Setting.of(dir, prefix + ".rsvd.max", value).ifPresent());
  }

  private void blockIo(Resources.BlockIo io) {
    if (io.weight() != 0) {
      if (dir.has("io.bfq.weight")) {
        settings.add(
            new Setting(
                dir,
                "io.bfq.weight",
                Integer.toString(io.weight()),
                false,
                UnifiedSettings::lastWord));
      } else {
        long weight = 1 + (io.weight() - 10L) * 9999 / 990;
        settings.add(Setting.keyed(dir, "io.weight", "default", Long.toString(weight), "100"));
      }
    }
    for (Resources.Throttle throttle : io.throttles()) {
      String key = throttle.major() + ":" + throttle.minor();
      settings.add(
          Setting.keyed(
              dir, "io.max", key, limits(throttle), "rbps=max wbps=max riops=max wiops=max"));
    }
  }

  /** BFQ shows {@code default 100} and takes {@code 100}. */
  private static String lastWord(String shown) {
    return shown
        .lines()
        .findFirst()
        .map(line -> line.substring(line.lastIndexOf(' ') + 1))
        .orElse("100");
  }

  private static String limits(Resources.Throttle throttle) {
    StringBuilder text = new StringBuilder();
    limit(text, "rbps", throttle.readBytes());
    limit(text, "wbps", throttle.writeBytes());
    limit(text, "riops", throttle.readOps());
    limit(text, "wiops", throttle.writeOps());
    return text.toString();
  }

  private static void limit(StringBuilder into, String name, long value) {
    if (value != 0) {
      into.append(into.isEmpty() ? "" : " ").append(name).append('=').append(orMax(value));
    }
  }

  private void unified(Map<String, String> files) {
    new TreeMap<>(files)
        .forEach(
            (file, value) -> {
              if (file.isEmpty() || file.indexOf('/') >= 0 || file.startsWith("cgroup.")) {
                throw new JrtException(
                    ErrorKind.INVALID,
                    "set cgroup limit",
                    "unified resource " + file + " is not the file of a controller");
              }
              value.lines().forEach(line -> settings.add(Setting.of(dir, file, line)));
            });
  }

  private static String orMax(long value) {
    return value < 0 ? "max" : Long.toString(value);
  }
}
