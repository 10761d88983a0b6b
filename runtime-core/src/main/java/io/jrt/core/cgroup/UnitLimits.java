package io.jrt.core.cgroup;

import io.jrt.core.systemd.UnitProperty;
import java.util.ArrayList;
import java.util.List;

/**
 * Limits in systemd's words. A unit's own cgroup gets them so that it is weighed against those
 * beside it and {@code systemctl} shows them; the cgroup that processes are in has them exactly.
 */
final class UnitLimits {
  /** systemd rounds a share of processor time to hundredths; ours must not come out below. */
  private static final long QUOTA_STEP = 10_000;

  private static final long SECOND = 1_000_000;
  private static final long USUAL_PERIOD = 100_000;

  private UnitLimits() {}

  /** What is asked for; what is not stays as it is. */
  static List<UnitProperty> of(Resources resources) {
    List<UnitProperty> all = new ArrayList<>();
    Resources.Cpu cpu = resources.cpu();
    long weight = CpuWeight.ofShares(cpu.shares());
    if (weight != 0) {
      all.add(UnitProperty.of("CPUWeight", weight));
    }
    if (cpu.quota() != 0) {
      long period = cpu.period() == 0 ? USUAL_PERIOD : cpu.period();
      all.add(UnitProperty.of("CPUQuotaPeriodUSec", period));
      all.add(UnitProperty.of("CPUQuotaPerSecUSec", perSecond(cpu.quota(), period)));
    }
    if (!cpu.cpus().isEmpty()) {
      all.add(UnitProperty.ofList("AllowedCPUs", cpu.cpus()));
    }
    if (!cpu.mems().isEmpty()) {
      all.add(UnitProperty.ofList("AllowedMemoryNodes", cpu.mems()));
    }
    Resources.Memory memory = resources.memory();
    if (memory.limit() != 0) {
      all.add(UnitProperty.of("MemoryMax", limit(memory.limit())));
    }
    if (memory.swap() != 0) {
      long swap = memory.swap() < 0 ? memory.swap() : memory.swap() - Math.max(0, memory.limit());
      all.add(UnitProperty.of("MemorySwapMax", limit(swap)));
    }
    if (resources.pids() != 0) {
      all.add(UnitProperty.of("TasksMax", limit(resources.pids())));
    }
    return all;
  }

  private static long limit(long value) {
    return value < 0 ? UnitProperty.INFINITY : value;
  }

  private static long perSecond(long quota, long period) {
    if (quota < 0) {
      return UnitProperty.INFINITY;
    }
    long exact = Math.ceilDiv(Math.multiplyExact(quota, SECOND), period);
    return Math.ceilDiv(exact, QUOTA_STEP) * QUOTA_STEP;
  }
}
