package io.jrt.server.cri;

import io.jrt.core.ContainerStats;
import io.jrt.core.CpuStats;
import io.jrt.core.FilesystemStats;
import io.jrt.core.IoStats;
import io.jrt.core.MemoryStats;
import io.jrt.core.NetworkStats;
import io.jrt.core.PodStats;
import io.jrt.core.Psi;
import io.jrt.core.SwapStats;
import io.jrt.cri.v1.ContainerAttributes;
import io.jrt.cri.v1.CpuUsage;
import io.jrt.cri.v1.FilesystemIdentifier;
import io.jrt.cri.v1.FilesystemUsage;
import io.jrt.cri.v1.IoUsage;
import io.jrt.cri.v1.LinuxPodSandboxStats;
import io.jrt.cri.v1.MemoryUsage;
import io.jrt.cri.v1.NetworkInterfaceUsage;
import io.jrt.cri.v1.NetworkUsage;
import io.jrt.cri.v1.PodSandboxAttributes;
import io.jrt.cri.v1.PodSandboxStats;
import io.jrt.cri.v1.ProcessUsage;
import io.jrt.cri.v1.PsiData;
import io.jrt.cri.v1.PsiStats;
import io.jrt.cri.v1.SwapUsage;
import io.jrt.cri.v1.UInt64Value;
import java.time.Instant;

/** The runtime's measurements as CRI's. */
final class StatsTranslation {
  private StatsTranslation() {}

  static io.jrt.cri.v1.ContainerStats container(ContainerStats stats) {
    io.jrt.cri.v1.ContainerStats.Builder cri =
        io.jrt.cri.v1.ContainerStats.newBuilder()
            .setAttributes(
                ContainerAttributes.newBuilder()
                    .setId(stats.id())
                    .setMetadata(ContainerTranslation.toCri(stats.metadata()))
                    .putAllLabels(stats.labels())
                    .putAllAnnotations(stats.annotations()));
    stats.cpu().ifPresent(cpu -> cri.setCpu(cpu(cpu)));
    stats.memory().ifPresent(memory -> cri.setMemory(memory(memory)));
    stats.swap().ifPresent(swap -> cri.setSwap(swap(swap)));
    stats.io().ifPresent(io -> cri.setIo(io(io)));
    stats.writableLayer().ifPresent(layer -> cri.setWritableLayer(filesystem(layer)));
    return cri.build();
  }

  static PodSandboxStats pod(PodStats stats) {
    LinuxPodSandboxStats.Builder linux = LinuxPodSandboxStats.newBuilder();
    stats.cpu().ifPresent(cpu -> linux.setCpu(cpu(cpu)));
    stats.memory().ifPresent(memory -> linux.setMemory(memory(memory)));
    stats.io().ifPresent(io -> linux.setIo(io(io)));
    if (!stats.interfaces().isEmpty()) {
      NetworkStats first = stats.interfaces().getFirst();
      linux.setNetwork(
          NetworkUsage.newBuilder()
              .setTimestamp(Times.nanos(first.at()))
              .setDefaultInterface(network(first))
              .addAllInterfaces(
                  stats.interfaces().stream().skip(1).map(StatsTranslation::network).toList()));
    }
    stats
        .processes()
        .ifPresent(
            count ->
                linux.setProcess(
                    ProcessUsage.newBuilder()
                        .setTimestamp(
                            Times.nanos(stats.cpu().map(CpuStats::at).orElseGet(Instant::now)))
                        .setProcessCount(number(count))));
    linux.addAllContainers(stats.containers().stream().map(StatsTranslation::container).toList());
    return PodSandboxStats.newBuilder()
        .setAttributes(
            PodSandboxAttributes.newBuilder()
                .setId(stats.id())
                .setMetadata(PodTranslation.toCri(stats.metadata()))
                .putAllLabels(stats.labels())
                .putAllAnnotations(stats.annotations()))
        .setLinux(linux)
        .build();
  }

  private static CpuUsage cpu(CpuStats stats) {
    CpuUsage.Builder cri =
        CpuUsage.newBuilder()
            .setTimestamp(Times.nanos(stats.at()))
            .setUsageCoreNanoSeconds(number(stats.usageCoreNanos()));
    stats.usageNanoCores().ifPresent(rate -> cri.setUsageNanoCores(number(rate)));
    stats.psi().ifPresent(psi -> cri.setPsi(psi(psi)));
    return cri.build();
  }

  private static MemoryUsage memory(MemoryStats stats) {
    MemoryUsage.Builder cri =
        MemoryUsage.newBuilder()
            .setTimestamp(Times.nanos(stats.at()))
            .setWorkingSetBytes(number(stats.workingSet()))
            .setUsageBytes(number(stats.usage()))
            .setRssBytes(number(stats.rss()))
            .setPageFaults(number(stats.pageFaults()))
            .setMajorPageFaults(number(stats.majorPageFaults()));
    stats.available().ifPresent(available -> cri.setAvailableBytes(number(available)));
    stats.psi().ifPresent(psi -> cri.setPsi(psi(psi)));
    return cri.build();
  }

  private static SwapUsage swap(SwapStats stats) {
    SwapUsage.Builder cri =
        SwapUsage.newBuilder()
            .setTimestamp(Times.nanos(stats.at()))
            .setSwapUsageBytes(number(stats.usage()));
    stats.available().ifPresent(available -> cri.setSwapAvailableBytes(number(available)));
    return cri.build();
  }

  private static IoUsage io(IoStats stats) {
    IoUsage.Builder cri = IoUsage.newBuilder().setTimestamp(Times.nanos(stats.at()));
    stats.psi().ifPresent(psi -> cri.setPsi(psi(psi)));
    return cri.build();
  }

  private static FilesystemUsage filesystem(FilesystemStats stats) {
    return FilesystemUsage.newBuilder()
        .setTimestamp(Times.nanos(stats.at()))
        .setFsId(FilesystemIdentifier.newBuilder().setMountpoint(stats.mountpoint()))
        .setUsedBytes(number(stats.usedBytes()))
        .setInodesUsed(number(stats.usedInodes()))
        .build();
  }

  private static NetworkInterfaceUsage network(NetworkStats stats) {
    return NetworkInterfaceUsage.newBuilder()
        .setName(stats.name())
        .setRxBytes(number(stats.received().bytes()))
        .setRxErrors(number(stats.received().errors()))
        .setTxBytes(number(stats.sent().bytes()))
        .setTxErrors(number(stats.sent().errors()))
        .build();
  }

  private static PsiStats psi(Psi psi) {
    return PsiStats.newBuilder().setSome(share(psi.some())).setFull(share(psi.full())).build();
  }

  private static PsiData share(Psi.Share share) {
    return PsiData.newBuilder()
        // The kernel counts microseconds, CRI nanoseconds.
        .setTotal(share.totalMicros() * 1000)
        .setAvg10(share.avg10())
        .setAvg60(share.avg60())
        .setAvg300(share.avg300())
        .build();
  }

  static UInt64Value number(long value) {
    return UInt64Value.newBuilder().setValue(value).build();
  }
}
