package io.jrt.core.cgroup;

import io.jrt.core.HugepageLimit;
import io.jrt.core.LinuxResources;
import java.util.List;
import java.util.Map;

/**
 * Limits of a cgroup in the words of the OCI runtime spec. 0 or empty means: not given, leave it.
 * -1 means no limit.
 *
 * @param pids most processes and threads
 * @param unified v2 files and what to write into them, each value line by line; refused on v1
 */
public record Resources(
    Cpu cpu,
    Memory memory,
    long pids,
    List<HugepageLimit> hugepages,
    BlockIo blockIo,
    Map<String, String> unified) {

  /** Nothing asked for. */
  public static final Resources NONE =
      new Resources(Cpu.NONE, Memory.NONE, 0, List.of(), BlockIo.NONE, Map.of());

  public Resources {
    hugepages = List.copyOf(hugepages);
    unified = Map.copyOf(unified);
  }

  /** What CRI can ask for; the process's oom_score_adj is not a cgroup's matter. */
  public static Resources of(LinuxResources cri) {
    return new Resources(
        new Cpu(
            cri.cpuShares(),
            cri.cpuQuota(),
            cri.cpuPeriod(),
            0,
            cri.cpusetCpus(),
            cri.cpusetMems(),
            false),
        new Memory(cri.memoryLimit(), cri.memorySwapLimit(), 0),
        0,
        cri.hugepages(),
        BlockIo.NONE,
        cri.unified());
  }

  public Resources withPids(long limit) {
    return new Resources(cpu, memory, limit, hugepages, blockIo, unified);
  }

  public Resources withBlockIo(BlockIo change) {
    return new Resources(cpu, memory, pids, hugepages, change, unified);
  }

  public Resources withMemory(Memory change) {
    return new Resources(cpu, change, pids, hugepages, blockIo, unified);
  }

  public Resources withCpu(Cpu change) {
    return new Resources(change, memory, pids, hugepages, blockIo, unified);
  }

  public Resources withUnified(Map<String, String> change) {
    return new Resources(cpu, memory, pids, hugepages, blockIo, change);
  }

  public Resources withHugepages(List<HugepageLimit> change) {
    return new Resources(cpu, memory, pids, change, blockIo, unified);
  }

  /**
   * Processor time.
   *
   * @param shares relative weight, 2 to 262144, 1024 being the usual
   * @param quota microseconds per period, negative for no limit
   * @param period microseconds
   * @param burst microseconds of unused quota that may pile up
   * @param cpus list of processors as {@code 0-3,7}
   * @param mems list of memory nodes
   * @param idle only when nothing else wants to run
   */
  public record Cpu(
      long shares, long quota, long period, long burst, String cpus, String mems, boolean idle) {
    public static final Cpu NONE = new Cpu(0, 0, 0, 0, "", "", false);
  }

  /**
   * Memory in bytes.
   *
   * @param swap memory and swap together, as in OCI and CRI
   * @param reservation what reclaim leaves alone while it can
   */
  public record Memory(long limit, long swap, long reservation) {
    public static final Memory NONE = new Memory(0, 0, 0);
  }

  /**
   * Block devices.
   *
   * @param weight 10 to 1000, relative to the cgroups beside it
   */
  public record BlockIo(int weight, List<Throttle> throttles) {
    public static final BlockIo NONE = new BlockIo(0, List.of());

    public BlockIo {
      throttles = List.copyOf(throttles);
    }
  }

  /**
   * A rate limit on one device; 0 means not given.
   *
   * @param readBytes per second, as the other three
   */
  public record Throttle(
      int major, int minor, long readBytes, long writeBytes, long readOps, long writeOps) {}
}
