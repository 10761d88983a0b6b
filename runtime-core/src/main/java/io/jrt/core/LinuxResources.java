package io.jrt.core;

import java.util.List;
import java.util.Map;

/**
 * Resource limits as CRI words them: 0 or empty means not given.
 *
 * @param cpuPeriod microseconds
 * @param cpuQuota microseconds per period, negative for no limit
 * @param memoryLimit bytes, -1 for no limit
 * @param memorySwapLimit bytes of memory and swap together, -1 for no limit
 * @param unified cgroup v2 files and what to write into them
 */
public record LinuxResources(
    long cpuPeriod,
    long cpuQuota,
    long cpuShares,
    long memoryLimit,
    long memorySwapLimit,
    long oomScoreAdj,
    String cpusetCpus,
    String cpusetMems,
    List<HugepageLimit> hugepages,
    Map<String, String> unified) {
  /** Nothing asked for. */
  public static final LinuxResources NONE =
      new LinuxResources(0, 0, 0, 0, 0, 0, "", "", List.of(), Map.of());

  public LinuxResources {
    hugepages = List.copyOf(hugepages);
    unified = Map.copyOf(unified);
  }
}
