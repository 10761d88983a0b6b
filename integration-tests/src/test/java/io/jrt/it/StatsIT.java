package io.jrt.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrt.cri.v1.ContainerStats;
import io.jrt.cri.v1.ContainerStatsRequest;
import io.jrt.cri.v1.LinuxContainerConfig;
import io.jrt.cri.v1.LinuxContainerResources;
import io.jrt.cri.v1.ListContainerStatsRequest;
import io.jrt.cri.v1.ListMetricDescriptorsRequest;
import io.jrt.cri.v1.ListPodSandboxMetricsRequest;
import io.jrt.cri.v1.Metric;
import io.jrt.cri.v1.MetricDescriptor;
import io.jrt.cri.v1.NamespaceMode;
import io.jrt.cri.v1.NetworkInterfaceUsage;
import io.jrt.cri.v1.PodSandboxConfig;
import io.jrt.cri.v1.PodSandboxMetrics;
import io.jrt.cri.v1.PodSandboxStats;
import io.jrt.cri.v1.PodSandboxStatsRequest;
import io.jrt.cri.v1.PsiData;
import io.jrt.cri.v1.PsiStats;
import io.jrt.cri.v1.UpdateContainerResourcesRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the daemon says of resources against what the kernel's own files say. */
class StatsIT {
  private Daemon daemon;
  private Cri cri;
  private String image;

  @BeforeEach
  void start() throws Exception {
    daemon = Daemon.start(Daemon.ownRange());
    cri = daemon.cri();
    image = daemon.bundledImage();
  }

  @AfterEach
  void stop() throws IOException {
    daemon.close();
  }

  private PodSandboxConfig pod(String name, NamespaceMode network) {
    return Cri.pod(name, network, daemon.home().resolve("logs")).build();
  }

  private ContainerStats stats(String container) {
    return cri.runtime()
        .containerStats(ContainerStatsRequest.newBuilder().setContainerId(container).build())
        .getStats();
  }

  @Test
  void memoryAndProcessesAreThoseOfTheKernel() throws Exception {
    PodSandboxConfig pod = pod("memory", NamespaceMode.POD);
    String podId = cri.runPod(pod);
    String id =
        cri.run(
            podId,
            pod,
            Cri.container(
                    "c",
                    image,
                    "sh",
                    "-c",
                    "dd if=/dev/zero of=/dev/shm/x bs=1M count=20 2>/dev/null;"
                        + " dd if=/dev/zero of=/file bs=1M count=8 2>/dev/null;"
                        + " sleep 1000 & sleep 1000 & echo ready; wait")
                .setLinux(
                    LinuxContainerConfig.newBuilder()
                        .setResources(
                            LinuxContainerResources.newBuilder().setMemoryLimitInBytes(256 << 20)))
                .build());
    awaitLog("memory", "ready");
    // Nothing runs in it but the last steps of its start: looked at until the file stands still.
    Path current = KernelCounts.file(id, "memory.current", "memory.usage_in_bytes");
    long usage;
    ContainerStats stats;
    long end = System.nanoTime() + Duration.ofSeconds(30).toNanos();
    do {
      assertThat(System.nanoTime()).as("its memory does not stand still").isLessThan(end);
      usage = KernelCounts.number(current);
      stats = stats(id);
    } while (KernelCounts.number(current) != usage);
    Path stat = KernelCounts.file(id, "memory.stat");
    long inactive = KernelCounts.keyed(stat, "total_inactive_file", "inactive_file");
    assertThat(stats.getMemory().getUsageBytes().getValue()).isEqualTo(usage);
    assertThat(stats.getMemory().getWorkingSetBytes().getValue()).isEqualTo(usage - inactive);
    assertThat(stats.getMemory().getAvailableBytes().getValue())
        .isEqualTo((256 << 20) - (usage - inactive));
    assertThat(stats.getMemory().getRssBytes().getValue())
        .isEqualTo(KernelCounts.keyed(stat, "total_rss", "anon"));
    assertThat(stats.getMemory().getPageFaults().getValue())
        .isEqualTo(KernelCounts.keyed(stat, "total_pgfault", "pgfault"));
    assertThat(usage).isGreaterThan(20 << 20);
    assertThat(stats.getWritableLayer().getUsedBytes().getValue()).isGreaterThanOrEqualTo(0);
    PodSandboxStats whole =
        cri.runtime()
            .podSandboxStats(PodSandboxStatsRequest.newBuilder().setPodSandboxId(podId).build())
            .getStats();
    // The container's keeper is in the pod, too.
    assertThat(whole.getLinux().getProcess().getProcessCount().getValue())
        .isGreaterThanOrEqualTo(3)
        .isEqualTo(
            KernelCounts.number(
                KernelCounts.file(id, "pids.current").resolveSibling("../pids.current")));
    assertThat(whole.getLinux().getContainers(0).getAttributes().getId()).isEqualTo(id);
  }

  @Test
  void processorTimeAndTrafficAreThoseOfTheKernel() throws Exception {
    PodSandboxConfig pod = pod("busy", NamespaceMode.POD);
    String podId = cri.runPod(pod);
    String id =
        cri.run(
            podId,
            pod,
            Cri.container(
                    "c",
                    image,
                    "sh",
                    "-c",
                    "timeout 2 sh -c 'while :; do :; done'; echo ready; sleep 1000")
                .build());
    awaitLog("busy", "ready");
    String table = cri.exec(id, "cat", "/proc/net/dev").getStdout().toStringUtf8();
    long used;
    try {
      used = KernelCounts.number(KernelCounts.file(id, "cpuacct.usage"));
    } catch (IOException unified) {
      used = KernelCounts.keyed(KernelCounts.file(id, "cpu.stat"), "usage_usec") * 1000;
    }
    assertThat(stats(id).getCpu().getUsageCoreNanoSeconds().getValue()).isEqualTo(used);
    // Two seconds of a processor at the most; on a busy machine it gets less.
    assertThat(used).isBetween(50_000_000L, 3_000_000_000L);
    NetworkInterfaceUsage usage =
        cri.runtime()
            .podSandboxStats(PodSandboxStatsRequest.newBuilder().setPodSandboxId(podId).build())
            .getStats()
            .getLinux()
            .getNetwork()
            .getDefaultInterface();
    String line =
        table.lines().filter(l -> l.strip().startsWith("eth0:")).findFirst().orElseThrow();
    String[] counts = line.substring(line.indexOf(':') + 1).strip().split("\\s+");
    assertThat(usage.getName()).isEqualTo("eth0");
    // A neighbour discovery may come in between.
    assertThat(usage.getRxBytes().getValue() - Long.parseLong(counts[0])).isBetween(0L, 2000L);
    assertThat(usage.getTxBytes().getValue() - Long.parseLong(counts[8])).isBetween(0L, 2000L);
  }

  @Test
  void metricsFitTheirDescriptors() throws Exception {
    PodSandboxConfig pod = pod("metrics", NamespaceMode.POD);
    String podId = cri.runPod(pod);
    cri.run(podId, pod, Cri.container("c", image, "sleep", "1000").build());
    Map<String, MetricDescriptor> known =
        cri
            .runtime()
            .listMetricDescriptors(ListMetricDescriptorsRequest.getDefaultInstance())
            .getDescriptorsList()
            .stream()
            .collect(Collectors.toMap(MetricDescriptor::getName, d -> d));
    PodSandboxMetrics metrics =
        cri.runtime()
            .listPodSandboxMetrics(ListPodSandboxMetricsRequest.getDefaultInstance())
            .getPodMetrics(0);
    List<Metric> all = new ArrayList<>(metrics.getMetricsList());
    all.addAll(metrics.getContainerMetrics(0).getMetricsList());
    for (Metric metric : all) {
      assertThat(known).containsKey(metric.getName());
      assertThat(metric.getLabelValuesCount())
          .as(metric.getName())
          .isEqualTo(
              java.util.Objects.requireNonNull(known.get(metric.getName())).getLabelKeysCount());
    }
    assertThat(all.stream().map(Metric::getName))
        .contains(
            "container_cpu_usage_seconds_total",
            "container_memory_working_set_bytes",
            "container_network_receive_bytes_total",
            "container_fs_usage_bytes",
            "container_processes",
            "container_threads",
            "container_sockets",
            "container_oom_events_total",
            "container_start_time_seconds",
            "container_pressure_cpu_waiting_seconds_total");
  }

  @Test
  void processesDescriptorsAndFileSystemAreThoseOfTheKernel() throws Exception {
    PodSandboxConfig pod = pod("looks", NamespaceMode.POD);
    String podId = cri.runPod(pod);
    // A process that listens, one that has files open, one that does nothing.
    String id =
        cri.run(
            podId,
            pod,
            Cri.container(
                    "c",
                    image,
                    "sh",
                    "-c",
                    "nc -l -p 7000 & sleep 1000 7</etc/passwd 8</etc/passwd &"
                        + " dd if=/dev/zero of=/file bs=1M count=4 conv=fsync 2>/dev/null;"
                        + " echo ready; wait")
                .build());
    awaitLog("looks", "ready");
    List<Metric> metrics =
        cri.runtime()
            .listPodSandboxMetrics(ListPodSandboxMetricsRequest.getDefaultInstance())
            .getPodMetrics(0)
            .getContainerMetrics(0)
            .getMetricsList();
    long descriptors = 0;
    long sockets = 0;
    long threads = 0;
    List<String> pids = Files.readAllLines(KernelCounts.file(id, "cgroup.procs"));
    for (String pid : pids) {
      try (Stream<Path> open = Files.list(Path.of("/proc", pid, "fd"));
          Stream<Path> tasks = Files.list(Path.of("/proc", pid, "task"))) {
        threads += tasks.count();
        for (Path one : open.toList()) {
          descriptors++;
          sockets += Files.readSymbolicLink(one).toString().startsWith("socket:") ? 1 : 0;
        }
      }
    }
    assertThat(value(metrics, "container_processes")).isEqualTo(pids.size()).isGreaterThan(2);
    assertThat(value(metrics, "container_threads"))
        .isEqualTo(threads)
        .isEqualTo(KernelCounts.number(KernelCounts.file(id, "pids.current")));
    assertThat(value(metrics, "container_file_descriptors"))
        .isEqualTo(descriptors)
        .isGreaterThan(5);
    assertThat(value(metrics, "container_sockets")).isEqualTo(sockets).isPositive();
    String openFiles =
        Files.readAllLines(Path.of("/proc", pids.getFirst(), "limits")).stream()
            .filter(line -> line.startsWith("Max open files"))
            .findFirst()
            .orElseThrow();
    assertThat(value(metrics, "container_ulimits_soft"))
        .isEqualTo(Long.parseLong(openFiles.split("\\s+")[3]));
    for (Metric huge : metrics) {
      if (huge.getName().equals("container_hugetlb_usage_bytes")) {
        String size = huge.getLabelValuesList().getLast();
        assertThat(huge.getValue().getValue())
            .isEqualTo(
                KernelCounts.number(
                    KernelCounts.file(
                        id,
                        "hugetlb." + size + ".current",
                        "hugetlb." + size + ".usage_in_bytes")));
      }
    }
    List<Long> size = KernelCounts.statfs(daemon.home());
    assertThat(value(metrics, "container_fs_limit_bytes")).isEqualTo(size.get(0) * size.get(1));
    assertThat(value(metrics, "container_fs_inodes_total")).isEqualTo(size.get(2));
    // Others make and remove files there at the same time.
    assertThat(value(metrics, "container_fs_inodes_free"))
        .isCloseTo(size.get(3), Offset.offset(size.get(2) / 100));
    for (Map.Entry<List<String>, Long> bytes : KernelCounts.deviceBytes(id).entrySet()) {
      assertThat(metrics)
          .anySatisfy(
              metric -> {
                assertThat(metric.getName()).isEqualTo("container_blkio_device_usage_total");
                assertThat(metric.getLabelValuesList())
                    .endsWith(bytes.getKey().toArray(String[]::new));
                assertThat(metric.getValue().getValue()).isEqualTo(bytes.getValue());
              });
    }
  }

  private static long value(List<Metric> metrics, String name) {
    return metrics.stream()
        .filter(metric -> metric.getName().equals(name))
        .findFirst()
        .orElseThrow(() -> new AssertionError("no metric " + name))
        .getValue()
        .getValue();
  }

  @Test
  void swapPressureAndDevicesAreThoseOfTheKernel() throws Exception {
    PodSandboxConfig pod = pod("waits", NamespaceMode.NODE);
    String podId = cri.runPod(pod);
    // Two who want one processor, and writes that wait for the disk.
    String id =
        cri.run(
            podId,
            pod,
            Cri.container(
                    "c",
                    image,
                    "sh",
                    "-c",
                    "for i in 1 2 3 4; do timeout 1 sh -c 'while :; do :; done' & done; wait;"
                        + " dd if=/dev/zero of=/file bs=64k count=64 conv=fsync 2>/dev/null;"
                        + " echo ready; sleep 1000")
                .setLinux(
                    LinuxContainerConfig.newBuilder()
                        .setResources(
                            LinuxContainerResources.newBuilder()
                                .setCpuPeriod(100_000)
                                .setCpuQuota(8_000)
                                .setMemoryLimitInBytes(128 << 20)
                                .setMemorySwapLimitInBytes(128 << 20)))
                .build());
    awaitLog("waits", "ready");
    ContainerStats stats = stats(id);
    assertThat(stats.getSwap().getSwapUsageBytes().getValue()).isEqualTo(KernelCounts.swap(id));
    assertThat(stats.getSwap().getSwapAvailableBytes().getValue()).isZero();
    pressure(id, "cpu.pressure", stats.getCpu().getPsi());
    pressure(id, "memory.pressure", stats.getMemory().getPsi());
    pressure(id, "io.pressure", stats.getIo().getPsi());
    List<Metric> metrics =
        cri.runtime()
            .listPodSandboxMetrics(ListPodSandboxMetricsRequest.getDefaultInstance())
            .getPodMetrics(0)
            .getContainerMetrics(0)
            .getMetricsList();
    Path throttled =
        KernelCounts.file(id, "cpu.max", "cpu.cfs_quota_us").resolveSibling("cpu.stat");
    assertThat(value(metrics, "container_cpu_cfs_periods_total"))
        .isEqualTo(KernelCounts.keyed(throttled, "nr_periods"));
    assertThat(value(metrics, "container_cpu_cfs_throttled_periods_total"))
        .isEqualTo(KernelCounts.keyed(throttled, "nr_throttled"))
        .isPositive();
    Map<List<String>, Long> bytes = KernelCounts.deviceBytes(id);
    long read = sum(bytes, "Read");
    long written = sum(bytes, "Write");
    assertThat(sum(metrics, "container_fs_reads_bytes_total")).isEqualTo(read);
    assertThat(sum(metrics, "container_fs_writes_bytes_total")).isEqualTo(written);
  }

  /** Compares with the kernel's file; where it keeps none, nothing is to be told. */
  private static void pressure(String container, String name, PsiStats told) throws IOException {
    List<String> lines;
    try {
      lines = Files.readAllLines(KernelCounts.file(container, name));
    } catch (IOException none) {
      assertThat(told).as(name).isEqualTo(PsiStats.getDefaultInstance());
      return;
    }
    for (String line : lines) {
      long micros = Long.parseLong(line.substring(line.lastIndexOf('=') + 1));
      PsiData data = line.startsWith("some") ? told.getSome() : told.getFull();
      assertThat(data.getTotal()).as("%s %s", name, line).isEqualTo(micros * 1000);
    }
  }

  private static long sum(Map<List<String>, Long> bytes, String operation) {
    return bytes.entrySet().stream()
        .filter(entry -> entry.getKey().getLast().equals(operation))
        .mapToLong(Map.Entry::getValue)
        .sum();
  }

  private static long sum(List<Metric> metrics, String name) {
    return metrics.stream()
        .filter(metric -> metric.getName().equals(name))
        .mapToLong(metric -> metric.getValue().getValue())
        .sum();
  }

  @Test
  void whatWasAppliedIsShown() throws Exception {
    PodSandboxConfig pod = pod("limits", NamespaceMode.NODE);
    String podId = cri.runPod(pod);
    String id =
        cri.run(
            podId,
            pod,
            Cri.container("c", image, "sleep", "1000")
                .setLinux(
                    LinuxContainerConfig.newBuilder()
                        .setResources(
                            LinuxContainerResources.newBuilder()
                                .setMemoryLimitInBytes(64 << 20)
                                .setCpuShares(512)))
                .build());
    cri.runtime()
        .updateContainerResources(
            UpdateContainerResourcesRequest.newBuilder()
                .setContainerId(id)
                .setLinux(
                    LinuxContainerResources.newBuilder()
                        .setMemoryLimitInBytes(96 << 20)
                        .setCpuPeriod(100_000)
                        .setCpuQuota(50_000))
                .build());
    LinuxContainerResources shown = cri.status(id).getResources().getLinux();
    assertThat(shown.getMemoryLimitInBytes()).isEqualTo(96 << 20);
    assertThat(shown.getCpuQuota()).isEqualTo(50_000);
    assertThat(shown.getCpuShares()).isEqualTo(512);
    assertThat(KernelCounts.number(KernelCounts.file(id, "memory.max", "memory.limit_in_bytes")))
        .isEqualTo(96 << 20);
    Path quota = KernelCounts.file(id, "cpu.max", "cpu.cfs_quota_us");
    assertThat(Files.readString(quota).strip()).startsWith("50000");
  }

  @Test
  void aHundredContainersAreListedInTwentyMilliseconds() throws Exception {
    List<Future<?>> starts = new ArrayList<>();
    try (ExecutorService executor = Executors.newFixedThreadPool(4)) {
      for (int i = 0; i < 10; i++) {
        PodSandboxConfig pod = pod("many" + i, NamespaceMode.NODE);
        starts.add(
            executor.submit(
                () -> {
                  String podId = cri.runPod(pod);
                  for (int c = 0; c < 10; c++) {
                    cri.run(podId, pod, Cri.container("c" + c, image, "sleep", "1000").build());
                  }
                }));
      }
    }
    for (Future<?> start : starts) {
      start.get();
    }
    long[] nanos = new long[60];
    for (int i = 0; i < nanos.length; i++) {
      long began = System.nanoTime();
      assertThat(
              cri.runtime()
                  .listContainerStats(ListContainerStatsRequest.getDefaultInstance())
                  .getStatsCount())
          .isEqualTo(100);
      nanos[i] = System.nanoTime() - began;
    }
    Arrays.sort(nanos);
    System.out.printf(
        "100 containers with stats: median %.1f ms, best %.1f ms, worst %.1f ms%n",
        nanos[30] / 1e6, nanos[0] / 1e6, nanos[59] / 1e6);
    // The best of many: what else the machine does is not the daemon's.
    assertThat(nanos[0] / 1e6).isLessThan(20);
  }

  private void awaitLog(String pod, String line) throws IOException {
    Path file = daemon.home().resolve("logs").resolve(pod).resolve("c.log");
    long end = System.nanoTime() + 20_000_000_000L;
    while (!Files.exists(file) || !Files.readString(file).contains(line)) {
      assertThat(System.nanoTime()).as("waiting for %s in %s", line, file).isLessThan(end);
      Daemon.sleep(20);
    }
    Daemon.sleep(200);
  }
}
