package io.jrt.core.cgroup;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Reads the statistics of a v2 cgroup. */
final class UnifiedStats {
  private UnifiedStats() {}

  static CgroupStats read(CgroupDir.Reader dir, List<String> hugepageSizes, Instant at) {
    return new CgroupStats(
        at,
        cpu(dir),
        memory(dir),
        pids(dir),
        dir.read("io.stat").map(FlatKeyed::ioStat).orElse(List.of()),
        FlatKeyed.pressure(dir.read("io.pressure")),
        hugepages(dir, hugepageSizes));
  }

  private static Optional<CgroupStats.Cpu> cpu(CgroupDir.Reader dir) {
    return dir.read("cpu.stat")
        .map(
            text -> {
              Map<String, Long> v = FlatKeyed.parse(text);
              return new CgroupStats.Cpu(
                  v.getOrDefault("usage_usec", 0L) * 1000,
                  v.getOrDefault("user_usec", 0L) * 1000,
                  v.getOrDefault("system_usec", 0L) * 1000,
                  v.getOrDefault("nr_periods", 0L),
                  v.getOrDefault("nr_throttled", 0L),
                  v.getOrDefault("throttled_usec", 0L) * 1000,
                  FlatKeyed.pressure(dir.read("cpu.pressure")));
            });
  }

  private static Optional<CgroupStats.Memory> memory(CgroupDir.Reader dir) {
    Optional<String> current = dir.read("memory.current");
    if (current.isEmpty()) {
      return Optional.empty();
    }
    Map<String, Long> stat = FlatKeyed.parse(dir.read("memory.stat").orElse(""));
    Map<String, Long> events = FlatKeyed.parse(dir.read("memory.events").orElse(""));
    return Optional.of(
        new CgroupStats.Memory(
            FlatKeyed.number(current),
            FlatKeyed.limit(dir.read("memory.peak")),
            FlatKeyed.limit(dir.read("memory.max")),
            stat.getOrDefault("anon", 0L),
            stat.getOrDefault("file", 0L),
            stat.getOrDefault("file_mapped", 0L),
            stat.getOrDefault("kernel", stat.getOrDefault("slab", 0L)),
            stat.getOrDefault("active_file", 0L),
            stat.getOrDefault("inactive_file", 0L),
            stat.getOrDefault("pgfault", 0L),
            stat.getOrDefault("pgmajfault", 0L),
            FlatKeyed.number(dir.read("memory.swap.current")),
            FlatKeyed.limit(dir.read("memory.swap.max")),
            events.getOrDefault("max", 0L),
            FlatKeyed.pressure(dir.read("memory.pressure"))));
  }

  private static Optional<CgroupStats.Pids> pids(CgroupDir.Reader dir) {
    Optional<String> current = dir.read("pids.current");
    return current.isEmpty()
        ? Optional.empty()
        : Optional.of(
            new CgroupStats.Pids(FlatKeyed.number(current), FlatKeyed.limit(dir.read("pids.max"))));
  }

  static List<CgroupStats.Hugepages> hugepages(CgroupDir.Reader dir, List<String> sizes) {
    List<CgroupStats.Hugepages> found = new ArrayList<>();
    for (String size : sizes) {
      Optional<String> current = dir.read("hugetlb." + size + ".current");
      if (current.isPresent()) {
        Map<String, Long> events =
            FlatKeyed.parse(dir.read("hugetlb." + size + ".events").orElse(""));
        found.add(
            new CgroupStats.Hugepages(
                size, FlatKeyed.number(current), events.getOrDefault("max", 0L)));
      }
    }
    return found;
  }
}
