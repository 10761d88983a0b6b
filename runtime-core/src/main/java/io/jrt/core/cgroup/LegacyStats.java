package io.jrt.core.cgroup;

import io.jrt.core.Psi;
import io.jrt.linux.Files;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** Measures a v1 cgroup; pressure comes from the v2 side where there is one. */
final class LegacyStats extends FileMeter {
  private static final MeterText.Keys THROTTLING =
      MeterText.Keys.of("nr_periods", "nr_throttled", "throttled_time");

  /** With the cgroups below, as v2 counts. */
  private static final MeterText.Keys MEMORY =
      MeterText.Keys.of(
          "total_rss",
          "total_cache",
          "total_mapped_file",
          "total_active_file",
          "total_inactive_file",
          "total_pgfault",
          "total_pgmajfault",
          "total_swap");

  private static final MeterText.Keys OOM = MeterText.Keys.of("oom_kill");

  private final MeterFile cpuUsage;
  private final MeterFile cpuUser;
  private final MeterFile cpuSystem;
  private final MeterFile cpuStat;
  private final MeterFile memoryStat;
  private final MeterFile memoryUsage;
  private final MeterFile memoryPeak;
  private final MeterFile memoryLimit;
  private final MeterFile memoryAndSwapLimit;
  private final MeterFile memoryKernel;
  private final MeterFile memoryFailures;
  private final MeterFile memoryOom;
  private final MeterFile pidsCurrent;
  private final MeterFile pidsMax;
  private final MeterFile ioBytes;
  private final MeterFile ioRequests;
  private final List<HugepageFiles> hugepages = new ArrayList<>();

  LegacyStats(
      Files files,
      Map<String, CgroupDir> dirs,
      @Nullable CgroupDir unified,
      List<String> hugepageSizes) {
    super(files, unified);
    CgroupDir account = dirs.get("cpuacct");
    cpuUsage = open(account, "cpuacct.usage");
    cpuUser = open(account, "cpuacct.usage_user");
    cpuSystem = open(account, "cpuacct.usage_sys");
    cpuStat = open(dirs.get("cpu"), "cpu.stat");
    CgroupDir memory = dirs.get("memory");
    memoryStat = open(memory, "memory.stat");
    memoryUsage = open(memory, "memory.usage_in_bytes");
    memoryPeak = open(memory, "memory.max_usage_in_bytes");
    memoryLimit = open(memory, "memory.limit_in_bytes");
    memoryAndSwapLimit = open(memory, "memory.memsw.limit_in_bytes");
    memoryKernel = open(memory, "memory.kmem.usage_in_bytes");
    memoryFailures = open(memory, "memory.failcnt");
    memoryOom = open(memory, "memory.oom_control");
    CgroupDir pids = dirs.get("pids");
    pidsCurrent = open(pids, "pids.current");
    pidsMax = open(pids, "pids.max");
    CgroupDir blkio = dirs.get("blkio");
    ioBytes = open(blkio, "blkio.throttle.io_service_bytes_recursive");
    ioRequests = open(blkio, "blkio.throttle.io_serviced_recursive");
    for (String size : hugepageSizes) {
      // The controller may be one of the v2 side, whose files have other names.
      MeterFile usage = open(dirs.get("hugetlb"), "hugetlb." + size + ".usage_in_bytes");
      if (usage.isThere()) {
        MeterFile failures = open(dirs.get("hugetlb"), "hugetlb." + size + ".failcnt");
        hugepages.add(new HugepageFiles(size, usage, failures));
      } else {
        unifiedHugepages(dirs.get("hugetlb"), size);
      }
    }
  }

  private record HugepageFiles(String size, MeterFile usage, MeterFile failures) {}

  @Override
  CgroupStats measure(MeterText text, Instant at) {
    Optional<Psi> io = ioPressure(text);
    return new CgroupStats(at, cpu(text), memory(text), pids(text), io(text), io, huge(text));
  }

  private Optional<CgroupStats.Cpu> cpu(MeterText text) {
    if (!cpuUsage.isThere()) {
      return Optional.empty();
    }
    long[] throttling = cpuStat.read(text).values(THROTTLING);
    return Optional.of(
        new CgroupStats.Cpu(
            cpuUsage.read(text).number(),
            cpuUser.read(text).number(),
            cpuSystem.read(text).number(),
            throttling[0],
            throttling[1],
            throttling[2],
            cpuPressure(text)));
  }

  private Optional<CgroupStats.Memory> memory(MeterText text) {
    if (!memoryStat.isThere()) {
      return Optional.empty();
    }
    long usage = memoryUsage.read(text).number();
    long[] stat = memoryStat.read(text).values(MEMORY);
    OptionalLong limit = memoryLimit.read(text).limit();
    // The memsw files count memory and swap together.
    OptionalLong both = memoryAndSwapLimit.read(text).limit();
    OptionalLong swapLimit =
        both.isPresent() && limit.isPresent()
            ? OptionalLong.of(Math.max(0, both.getAsLong() - limit.getAsLong()))
            : OptionalLong.empty();
    return Optional.of(
        new CgroupStats.Memory(
            usage,
            memoryPeak.read(text).limit(),
            limit,
            stat[0],
            stat[1],
            stat[2],
            memoryKernel.read(text).number(),
            stat[3],
            stat[4],
            stat[5],
            stat[6],
            stat[7],
            swapLimit,
            memoryFailures.read(text).number(),
            memoryOom.read(text).values(OOM)[0],
            memoryPressure(text)));
  }

  private Optional<CgroupStats.Pids> pids(MeterText text) {
    return pidsCurrent.isThere()
        ? Optional.of(
            new CgroupStats.Pids(pidsCurrent.read(text).number(), pidsMax.read(text).limit()))
        : Optional.empty();
  }

  private List<CgroupStats.BlockDevice> io(MeterText text) {
    List<MeterText.Operations> bytes = ioBytes.read(text).operations();
    List<MeterText.Operations> requests = ioRequests.read(text).operations();
    List<CgroupStats.BlockDevice> devices = new ArrayList<>();
    for (MeterText.Operations of : bytes) {
      long reads = 0;
      long writes = 0;
      for (MeterText.Operations request : requests) {
        if (request.major() == of.major() && request.minor() == of.minor()) {
          reads = request.reads();
          writes = request.writes();
        }
      }
      devices.add(
          new CgroupStats.BlockDevice(
              of.major(), of.minor(), of.reads(), of.writes(), reads, writes));
    }
    return devices;
  }

  private List<CgroupStats.Hugepages> huge(MeterText text) {
    List<CgroupStats.Hugepages> found = new ArrayList<>(unifiedHugepages(text));
    for (HugepageFiles one : hugepages) {
      found.add(
          new CgroupStats.Hugepages(
              one.size(), one.usage().read(text).number(), one.failures().read(text).number()));
    }
    return found;
  }
}
