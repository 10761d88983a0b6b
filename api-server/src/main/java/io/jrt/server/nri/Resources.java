package io.jrt.server.nri;

import io.jrt.core.LinuxResources;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.nri.v1alpha1.HugepageLimit;
import io.jrt.nri.v1alpha1.LinuxCPU;
import io.jrt.nri.v1alpha1.LinuxMemory;
import io.jrt.nri.v1alpha1.OptionalInt64;
import io.jrt.nri.v1alpha1.OptionalUInt64;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Limits in the words of NRI, and in jrt's. */
final class Resources {
  private Resources() {}

  static io.jrt.nri.v1alpha1.LinuxResources told(LinuxResources limits) {
    LinuxMemory.Builder memory = LinuxMemory.newBuilder();
    LinuxCPU.Builder cpu =
        LinuxCPU.newBuilder().setCpus(limits.cpusetCpus()).setMems(limits.cpusetMems());
    if (limits.memoryLimit() != 0) {
      memory.setLimit(signed(limits.memoryLimit()));
    }
    if (limits.memorySwapLimit() != 0) {
      memory.setSwap(signed(limits.memorySwapLimit()));
    }
    if (limits.cpuShares() != 0) {
      cpu.setShares(unsigned(limits.cpuShares()));
    }
    if (limits.cpuQuota() != 0) {
      cpu.setQuota(signed(limits.cpuQuota()));
    }
    if (limits.cpuPeriod() != 0) {
      cpu.setPeriod(unsigned(limits.cpuPeriod()));
    }
    var told =
        io.jrt.nri.v1alpha1.LinuxResources.newBuilder()
            .setMemory(memory)
            .setCpu(cpu)
            .putAllUnified(limits.unified());
    limits
        .hugepages()
        .forEach(
            each ->
                told.addHugepageLimits(
                    HugepageLimit.newBuilder()
                        .setPageSize(each.pageSize())
                        .setLimit(each.limit())));
    return told.build();
  }

  private static OptionalInt64 signed(long value) {
    return OptionalInt64.newBuilder().setValue(value).build();
  }

  private static OptionalUInt64 unsigned(long value) {
    return OptionalUInt64.newBuilder().setValue(value).build();
  }

  /**
   * The limits with a plugin's over them.
   *
   * @throws JrtException UNIMPLEMENTED for a limit that jrt cannot set
   */
  static LinuxResources over(
      LinuxResources before, io.jrt.nri.v1alpha1.LinuxResources wanted, String plugin) {
    LinuxMemory memory = wanted.getMemory();
    LinuxCPU cpu = wanted.getCpu();
    refuse(plugin, memory.hasReservation(), "a memory reservation");
    refuse(plugin, memory.hasKernel(), "a limit of kernel memory");
    refuse(plugin, memory.hasKernelTcp(), "a limit of tcp memory");
    refuse(plugin, memory.hasSwappiness(), "a swappiness");
    refuse(plugin, memory.hasDisableOomKiller(), "a disabled oom killer");
    refuse(plugin, cpu.hasRealtimeRuntime() || cpu.hasRealtimePeriod(), "realtime cpu");
    refuse(plugin, wanted.hasBlockioClass(), "a blockio class");
    refuse(plugin, wanted.hasRdtClass(), "an rdt class by name");
    refuse(plugin, wanted.getDevicesCount() > 0, "rules of devices without device files");
    Map<String, String> unified = new HashMap<>(before.unified());
    unified.putAll(wanted.getUnifiedMap());
    if (wanted.hasPids()) {
      long pids = wanted.getPids().getLimit();
      unified.put("pids.max", pids > 0 ? Long.toString(pids) : "max");
    }
    List<io.jrt.core.HugepageLimit> pages = new ArrayList<>(before.hugepages());
    for (HugepageLimit limit : wanted.getHugepageLimitsList()) {
      pages.removeIf(old -> old.pageSize().equals(limit.getPageSize()));
      pages.add(new io.jrt.core.HugepageLimit(limit.getPageSize(), limit.getLimit()));
    }
    return new LinuxResources(
        cpu.hasPeriod() ? cpu.getPeriod().getValue() : before.cpuPeriod(),
        cpu.hasQuota() ? cpu.getQuota().getValue() : before.cpuQuota(),
        cpu.hasShares() ? cpu.getShares().getValue() : before.cpuShares(),
        memory.hasLimit() ? memory.getLimit().getValue() : before.memoryLimit(),
        memory.hasSwap() ? memory.getSwap().getValue() : before.memorySwapLimit(),
        before.oomScoreAdj(),
        cpu.getCpus().isEmpty() ? before.cpusetCpus() : cpu.getCpus(),
        cpu.getMems().isEmpty() ? before.cpusetMems() : cpu.getMems(),
        pages,
        unified);
  }

  static LinuxResources withOomScore(LinuxResources before, long score) {
    return new LinuxResources(
        before.cpuPeriod(),
        before.cpuQuota(),
        before.cpuShares(),
        before.memoryLimit(),
        before.memorySwapLimit(),
        score,
        before.cpusetCpus(),
        before.cpusetMems(),
        before.hugepages(),
        before.unified());
  }

  /** Refuses what a plugin wants and jrt cannot do. */
  static void refuse(String plugin, boolean wanted, String what) {
    if (wanted) {
      throw new JrtException(
          ErrorKind.UNIMPLEMENTED,
          NriPlugins.STEP,
          "nri plugin %s asks for %s, which jrt does not do".formatted(plugin, what));
    }
  }
}
