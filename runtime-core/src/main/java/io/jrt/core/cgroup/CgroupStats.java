package io.jrt.core.cgroup;

import io.jrt.core.Psi;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What a cgroup uses, exactly as the kernel's files say. A part whose controller is not there is
 * empty.
 */
public record CgroupStats(
    Instant at,
    Optional<Cpu> cpu,
    Optional<Memory> memory,
    Optional<Pids> pids,
    List<BlockDevice> io,
    Optional<Psi> ioPressure,
    List<Hugepages> hugepages) {

  /**
   * Processor time.
   *
   * @param usageNanos of all processors together
   * @param periods with a quota: how many, how many of them throttled, and for how long in all
   */
  public record Cpu(
      long usageNanos,
      long userNanos,
      long systemNanos,
      long periods,
      long throttledPeriods,
      long throttledNanos,
      Optional<Psi> pressure) {}

  /**
   * Memory in bytes.
   *
   * @param usage all that is charged, page cache included
   * @param peak the highest usage so far, where the kernel keeps it
   * @param limit empty when there is none
   * @param rss anonymous memory
   * @param cache file pages
   * @param swapUsage swap alone
   * @param swapLimit swap alone, empty when there is none
   * @param failures how often the limit was met
   * @param oomKills processes that the kernel killed because of the limit
   */
  public record Memory(
      long usage,
      OptionalLong peak,
      OptionalLong limit,
      long rss,
      long cache,
      long mappedFile,
      long kernel,
      long activeFile,
      long inactiveFile,
      long pageFaults,
      long majorPageFaults,
      long swapUsage,
      OptionalLong swapLimit,
      long failures,
      long oomKills,
      Optional<Psi> pressure) {

    /** Usage less inactive file pages, as Kubernetes defines it. */
    public long workingSet() {
      return Math.max(0, usage - inactiveFile);
    }

    /** Limit less working set; empty without a limit. */
    public OptionalLong available() {
      return limit.isPresent()
          ? OptionalLong.of(Math.max(0, limit.getAsLong() - workingSet()))
          : OptionalLong.empty();
    }
  }

  /** Processes and threads; no limit is empty. */
  public record Pids(long current, OptionalLong limit) {}

  /** One block device: bytes and requests so far. */
  public record BlockDevice(
      int major, int minor, long readBytes, long writtenBytes, long reads, long writes) {}

  /** Huge pages of one size, as {@code 2MB}: bytes in use and requests refused. */
  public record Hugepages(String pageSize, long usage, long failures) {}
}
