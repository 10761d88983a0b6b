package io.jrt.core;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What a container uses beyond what CRI's statistics have fields for, from the same moment.
 *
 * @param userNanos processor time in its own code
 * @param systemNanos processor time in the kernel on its behalf
 * @param periods with a processor quota: how many, how many of them throttled, how long in all
 * @param peakMemory the most memory in use so far, where the kernel keeps it
 * @param memoryLimit empty when there is none
 * @param processes processes and threads
 * @param oomKills processes that the kernel killed for want of memory since the start
 * @param hugepages one for each size that the machine has
 */
public record Measurement(
    Instant at,
    Optional<Instant> startedAt,
    long userNanos,
    long systemNanos,
    long periods,
    long throttledPeriods,
    long throttledNanos,
    long cache,
    long mappedFile,
    long kernelMemory,
    OptionalLong peakMemory,
    OptionalLong memoryLimit,
    OptionalLong swapLimit,
    long memoryFailures,
    OptionalLong processes,
    OptionalLong processLimit,
    long oomKills,
    List<HugepageStats> hugepages,
    LinuxResources resources) {

  public Measurement {
    hugepages = List.copyOf(hugepages);
  }
}
