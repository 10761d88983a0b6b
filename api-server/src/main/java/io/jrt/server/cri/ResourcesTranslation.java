package io.jrt.server.cri;

import io.jrt.core.LinuxResources;
import io.jrt.cri.v1.HugepageLimit;
import io.jrt.cri.v1.LinuxContainerResources;
import java.util.Optional;

/** CRI's limits as the runtime's record, and back. */
final class ResourcesTranslation {
  private ResourcesTranslation() {}

  static Optional<LinuxResources> of(boolean given, LinuxContainerResources cri) {
    return given ? Optional.of(of(cri)) : Optional.empty();
  }

  static LinuxResources of(LinuxContainerResources cri) {
    return new LinuxResources(
        cri.getCpuPeriod(),
        cri.getCpuQuota(),
        cri.getCpuShares(),
        cri.getMemoryLimitInBytes(),
        cri.getMemorySwapLimitInBytes(),
        cri.getOomScoreAdj(),
        cri.getCpusetCpus(),
        cri.getCpusetMems(),
        cri.getHugepageLimitsList().stream()
            .map(limit -> new io.jrt.core.HugepageLimit(limit.getPageSize(), limit.getLimit()))
            .toList(),
        cri.getUnifiedMap());
  }

  static LinuxContainerResources toCri(LinuxResources resources) {
    return LinuxContainerResources.newBuilder()
        .setCpuPeriod(resources.cpuPeriod())
        .setCpuQuota(resources.cpuQuota())
        .setCpuShares(resources.cpuShares())
        .setMemoryLimitInBytes(resources.memoryLimit())
        .setMemorySwapLimitInBytes(resources.memorySwapLimit())
        .setOomScoreAdj(resources.oomScoreAdj())
        .setCpusetCpus(resources.cpusetCpus())
        .setCpusetMems(resources.cpusetMems())
        .addAllHugepageLimits(
            resources.hugepages().stream()
                .map(
                    limit ->
                        HugepageLimit.newBuilder()
                            .setPageSize(limit.pageSize())
                            .setLimit(limit.limit())
                            .build())
                .toList())
        .putAllUnified(resources.unified())
        .build();
  }
}
