package io.jrt.core.cgroup;

import io.jrt.core.Psi;
import io.jrt.linux.Files;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** Measures a v2 cgroup. */
final class UnifiedStats extends FileMeter {
  private static final MeterText.Keys CPU =
      MeterText.Keys.of(
          "usage_usec", "user_usec", "system_usec", "nr_periods", "nr_throttled", "throttled_usec");
  private static final MeterText.Keys MEMORY =
      MeterText.Keys.of(
          "anon",
          "file",
          "file_mapped",
          "kernel",
          "slab",
          "active_file",
          "inactive_file",
          "pgfault",
          "pgmajfault");
  private static final MeterText.Keys EVENTS = MeterText.Keys.of("max", "oom_kill");

  private final MeterFile cpuStat;
  private final MeterFile memoryCurrent;
  private final MeterFile memoryStat;
  private final MeterFile memoryEvents;
  private final MeterFile memoryPeak;
  private final MeterFile memoryMax;
  private final MeterFile swapCurrent;
  private final MeterFile swapMax;
  private final MeterFile pidsCurrent;
  private final MeterFile pidsMax;
  private final MeterFile ioStat;

  UnifiedStats(Files files, CgroupDir dir, List<String> hugepageSizes) {
    super(files, dir);
    cpuStat = open(dir, "cpu.stat");
    memoryCurrent = open(dir, "memory.current");
    memoryStat = open(dir, "memory.stat");
    memoryEvents = open(dir, "memory.events");
    memoryPeak = open(dir, "memory.peak");
    memoryMax = open(dir, "memory.max");
    swapCurrent = open(dir, "memory.swap.current");
    swapMax = open(dir, "memory.swap.max");
    pidsCurrent = open(dir, "pids.current");
    pidsMax = open(dir, "pids.max");
    ioStat = open(dir, "io.stat");
    hugepageSizes.forEach(size -> unifiedHugepages(dir, size));
  }

  @Override
  CgroupStats measure(MeterText text, Instant at) {
    Optional<Psi> io = ioPressure(text);
    return new CgroupStats(
        at,
        cpu(text),
        memory(text),
        pids(text),
        ioStat.read(text).ioStat(),
        io,
        unifiedHugepages(text));
  }

  private Optional<CgroupStats.Cpu> cpu(MeterText text) {
    if (!cpuStat.isThere()) {
      return Optional.empty();
    }
    long[] stat = cpuStat.read(text).values(CPU);
    return Optional.of(
        new CgroupStats.Cpu(
            stat[0] * 1000,
            stat[1] * 1000,
            stat[2] * 1000,
            stat[3],
            stat[4],
            stat[5] * 1000,
            cpuPressure(text)));
  }

  private Optional<CgroupStats.Memory> memory(MeterText text) {
    if (!memoryCurrent.isThere()) {
      return Optional.empty();
    }
    long usage = memoryCurrent.read(text).number();
    long[] stat = memoryStat.read(text).values(MEMORY);
    long[] events = memoryEvents.read(text).values(EVENTS);
    return Optional.of(
        new CgroupStats.Memory(
            usage,
            memoryPeak.read(text).limit(),
            memoryMax.read(text).limit(),
            stat[0],
            stat[1],
            stat[2],
            // Before Linux 5.18 there is no sum of what the kernel itself takes.
            stat[3] == 0 ? stat[4] : stat[3],
            stat[5],
            stat[6],
            stat[7],
            stat[8],
            swapCurrent.read(text).number(),
            swapMax.read(text).limit(),
            events[0],
            events[1],
            memoryPressure(text)));
  }

  private Optional<CgroupStats.Pids> pids(MeterText text) {
    return pidsCurrent.isThere()
        ? Optional.of(
            new CgroupStats.Pids(pidsCurrent.read(text).number(), pidsMax.read(text).limit()))
        : Optional.empty();
  }
}
