package io.jrt.core.cgroup;

import io.jrt.core.Psi;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/** Reads the statistics of a v1 cgroup; pressure comes from the v2 side where there is one. */
final class LegacyStats {
  private final Map<String, CgroupDir> dirs;
  private final Optional<CgroupDir> unified;

  LegacyStats(Map<String, CgroupDir> dirs, Optional<CgroupDir> unified) {
    this.dirs = dirs;
    this.unified = unified;
  }

  CgroupStats read(List<String> hugepageSizes, Instant at) {
    return new CgroupStats(
        at, cpu(), memory(), pids(), io(), pressure("io.pressure"), hugepages(hugepageSizes));
  }

  private Optional<Psi> pressure(String file) {
    return unified.flatMap(dir -> FlatKeyed.pressure(dir.read(file)));
  }

  private Optional<CgroupStats.Cpu> cpu() {
    CgroupDir account = dirs.get("cpuacct");
    if (account == null) {
      return Optional.empty();
    }
    Map<String, Long> throttling = Map.of();
    CgroupDir cpu = dirs.get("cpu");
    if (cpu != null) {
      throttling = FlatKeyed.parse(cpu.read("cpu.stat").orElse(""));
    }
    try (CgroupDir.Reader dir = account.reader()) {
      return Optional.of(
          new CgroupStats.Cpu(
              FlatKeyed.number(dir.read("cpuacct.usage")),
              FlatKeyed.number(dir.read("cpuacct.usage_user")),
              FlatKeyed.number(dir.read("cpuacct.usage_sys")),
              throttling.getOrDefault("nr_periods", 0L),
              throttling.getOrDefault("nr_throttled", 0L),
              throttling.getOrDefault("throttled_time", 0L),
              pressure("cpu.pressure")));
    }
  }

  private Optional<CgroupStats.Memory> memory() {
    CgroupDir memory = dirs.get("memory");
    if (memory == null) {
      return Optional.empty();
    }
    try (CgroupDir.Reader dir = memory.reader()) {
      Map<String, Long> stat = FlatKeyed.parse(dir.read("memory.stat").orElse(""));
      long usage = FlatKeyed.number(dir.read("memory.usage_in_bytes"));
      OptionalLong limit = FlatKeyed.limit(dir.read("memory.limit_in_bytes"));
      // The memsw files count memory and swap together.
      OptionalLong both = FlatKeyed.limit(dir.read("memory.memsw.limit_in_bytes"));
      OptionalLong swapLimit =
          both.isPresent() && limit.isPresent()
              ? OptionalLong.of(Math.max(0, both.getAsLong() - limit.getAsLong()))
              : OptionalLong.empty();
      return Optional.of(
          new CgroupStats.Memory(
              usage,
              FlatKeyed.limit(dir.read("memory.max_usage_in_bytes")),
              limit,
              total(stat, "rss"),
              total(stat, "cache"),
              total(stat, "mapped_file"),
              FlatKeyed.number(dir.read("memory.kmem.usage_in_bytes")),
              total(stat, "active_file"),
              total(stat, "inactive_file"),
              total(stat, "pgfault"),
              total(stat, "pgmajfault"),
              total(stat, "swap"),
              swapLimit,
              FlatKeyed.number(dir.read("memory.failcnt")),
              pressure("memory.pressure")));
    }
  }

  /** With the cgroups below, as v2 counts. */
  private static long total(Map<String, Long> stat, String name) {
    return stat.getOrDefault("total_" + name, stat.getOrDefault(name, 0L));
  }

  private Optional<CgroupStats.Pids> pids() {
    CgroupDir dir = dirs.get("pids");
    return dir == null
        ? Optional.empty()
        : Optional.of(
            new CgroupStats.Pids(
                FlatKeyed.number(dir.read("pids.current")), FlatKeyed.limit(dir.read("pids.max"))));
  }

  private List<CgroupStats.BlockDevice> io() {
    CgroupDir dir = dirs.get("blkio");
    if (dir == null) {
      return List.of();
    }
    // Device to: bytes read, bytes written, reads, writes.
    Map<String, long[]> devices = new LinkedHashMap<>();
    collect(dir.read("blkio.throttle.io_service_bytes_recursive"), 0, devices);
    collect(dir.read("blkio.throttle.io_serviced_recursive"), 2, devices);
    List<CgroupStats.BlockDevice> found = new ArrayList<>();
    devices.forEach(
        (device, v) -> {
          int colon = device.indexOf(':');
          found.add(
              new CgroupStats.BlockDevice(
                  Integer.parseInt(device.substring(0, colon)),
                  Integer.parseInt(device.substring(colon + 1)),
                  v[0],
                  v[1],
                  v[2],
                  v[3]));
        });
    return found;
  }

  /** Lines of {@code major:minor Operation number}. */
  private static void collect(Optional<String> text, int at, Map<String, long[]> into) {
    for (String line : text.orElse("").split("\n", -1)) {
      String[] words = line.split(" ", -1);
      if (words.length == 3 && words[0].indexOf(':') > 0) {
        long[] values = into.computeIfAbsent(words[0], key -> new long[4]);
        switch (words[1]) {
          case "Read" -> values[at] = Long.parseLong(words[2]);
          case "Write" -> values[at + 1] = Long.parseLong(words[2]);
          default -> {
            // Sync, Async, Discard and Total cut the same another way.
          }
        }
      }
    }
  }

  private List<CgroupStats.Hugepages> hugepages(List<String> sizes) {
    CgroupDir hugetlb = dirs.get("hugetlb");
    if (hugetlb == null) {
      return List.of();
    }
    try (CgroupDir.Reader dir = hugetlb.reader()) {
      List<CgroupStats.Hugepages> found = new ArrayList<>(UnifiedStats.hugepages(dir, sizes));
      for (String size : sizes) {
        Optional<String> usage = dir.read("hugetlb." + size + ".usage_in_bytes");
        if (usage.isPresent()) {
          found.add(
              new CgroupStats.Hugepages(
                  size,
                  FlatKeyed.number(usage),
                  FlatKeyed.number(dir.read("hugetlb." + size + ".failcnt"))));
        }
      }
      return found;
    }
  }
}
