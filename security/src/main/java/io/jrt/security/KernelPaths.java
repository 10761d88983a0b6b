package io.jrt.security;

import java.util.List;

/**
 * The paths below {@code /proc} and {@code /sys} that say too much about the node or let a
 * container change it.
 *
 * <p>The kubelet sends both lists itself (and empty ones for ProcMount Unmasked), which are then
 * taken as they come; these serve containers that people start.
 */
public final class KernelPaths {
  /** Hidden behind an empty file or an empty directory, where they exist. */
  public static final List<String> MASKED =
      List.of(
          "/proc/acpi",
          "/proc/asound",
          "/proc/interrupts",
          "/proc/kcore",
          "/proc/keys",
          "/proc/latency_stats",
          "/proc/sched_debug",
          "/proc/scsi",
          "/proc/timer_list",
          "/proc/timer_stats",
          "/sys/devices/virtual/powercap",
          "/sys/firmware");

  /** Made read-only, where they exist. */
  public static final List<String> READ_ONLY =
      List.of("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger");

  private KernelPaths() {}
}
