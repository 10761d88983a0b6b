package io.jrt.server.cri;

import static io.jrt.server.cri.Measure.counter;
import static io.jrt.server.cri.Measure.device;
import static io.jrt.server.cri.Measure.gauge;
import static io.jrt.server.cri.Measure.huge;
import static io.jrt.server.cri.Measure.more;
import static io.jrt.server.cri.Measure.optional;
import static io.jrt.server.cri.Measure.place;
import static io.jrt.server.cri.Measure.single;
import static io.jrt.server.cri.Measure.spec;

import io.jrt.core.ContainerMeasurements;
import io.jrt.core.ContainerStats;
import io.jrt.core.CpuStats;
import io.jrt.core.FilesystemSize;
import io.jrt.core.FilesystemStats;
import io.jrt.core.HugepageStats;
import io.jrt.core.IoStats;
import io.jrt.core.LinuxResources;
import io.jrt.core.Measurement;
import io.jrt.core.MemoryStats;
import io.jrt.core.NetworkStats;
import io.jrt.core.PodMeasurements;
import io.jrt.core.PodStats;
import io.jrt.core.ProcessCounts;
import io.jrt.core.Psi;
import io.jrt.core.SwapStats;
import io.jrt.cri.v1.ContainerMetrics;
import io.jrt.cri.v1.Metric;
import io.jrt.cri.v1.MetricDescriptor;
import io.jrt.cri.v1.MetricType;
import io.jrt.cri.v1.PodSandboxMetrics;
import io.jrt.server.cri.Measure.Value;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;

/**
 * Measurements under the names that cAdvisor made known, for ListPodSandboxMetrics. Each metric's
 * labels begin with the same five and end with those of its own. CRI has whole numbers only, so
 * that seconds are cut.
 */
final class PodMetrics {
  private static final long SECOND = 1_000_000_000L;
  private static final long MICROS = 1_000_000L;
  private static final List<String> COMMON = List.of("id", "name", "container", "pod", "namespace");

  private static final List<Measure<ContainerStats>> CONTAINER = container();
  private static final List<Measure<ContainerMeasurements>> LOOKED_AT = lookedAt();
  private static final List<Measure<NetworkStats>> INTERFACE = interfaces();

  private PodMetrics() {}

  private static List<Measure<ContainerStats>> container() {
    List<Measure<ContainerStats>> all = new ArrayList<>();
    all.add(
        counter(
            "container_cpu_usage_seconds_total",
            "CPU time since the start, in seconds",
            stats -> single(stats.cpu().map(CpuStats::usageCoreNanos), SECOND)));
    all.add(
        more(
            "container_cpu_user_seconds_total",
            "of it in user mode",
            true,
            more -> more.userNanos() / SECOND));
    all.add(
        more(
            "container_cpu_system_seconds_total",
            "of it in the kernel",
            true,
            more -> more.systemNanos() / SECOND));
    all.add(
        more(
            "container_cpu_cfs_periods_total",
            "periods of its CPU quota",
            true,
            Measurement::periods));
    all.add(
        more(
            "container_cpu_cfs_throttled_periods_total",
            "periods it was throttled in",
            true,
            Measurement::throttledPeriods));
    all.add(
        more(
            "container_cpu_cfs_throttled_seconds_total",
            "seconds it was throttled",
            true,
            more -> more.throttledNanos() / SECOND));
    all.add(
        gauge(
            "container_memory_working_set_bytes",
            "memory in use that is not soon to be reclaimed",
            stats -> single(stats.memory().map(MemoryStats::workingSet), 1)));
    all.add(
        gauge(
            "container_memory_usage_bytes",
            "memory in use, page cache included",
            stats -> single(stats.memory().map(MemoryStats::usage), 1)));
    all.add(
        gauge(
            "container_memory_rss",
            "anonymous memory in use",
            stats -> single(stats.memory().map(MemoryStats::rss), 1)));
    all.add(
        gauge(
            "container_memory_swap",
            "swap in use",
            stats -> single(stats.swap().map(SwapStats::usage), 1)));
    all.add(more("container_memory_cache", "file pages in memory", false, Measurement::cache));
    all.add(
        more(
            "container_memory_mapped_file",
            "mapped file pages in memory",
            false,
            Measurement::mappedFile));
    all.add(
        more(
            "container_memory_kernel_usage",
            "memory that the kernel takes for it",
            false,
            Measurement::kernelMemory));
    all.add(
        more(
            "container_memory_failcnt",
            "how often its memory limit was met",
            true,
            Measurement::memoryFailures));
    all.add(
        optional(
            "container_memory_max_usage_bytes",
            "the most memory in use so far",
            Measurement::peakMemory));
    all.add(
        new Measure<>(
            "container_memory_failures_total",
            "page faults since the start",
            MetricType.COUNTER,
            List.of("failure_type", "scope"),
            stats ->
                stats.memory().stream()
                    .flatMap(
                        memory ->
                            Stream.of(
                                new Value(memory.pageFaults(), List.of("pgfault", "hierarchy")),
                                new Value(
                                    memory.majorPageFaults(),
                                    List.of("pgmajfault", "hierarchy"))))));
    all.add(
        more(
            "container_oom_events_total",
            "processes killed for want of memory",
            true,
            Measurement::oomKills));
    all.add(
        optional(
            "container_threads_max",
            "the limit of processes and threads; 0: none",
            more -> OptionalLong.of(more.processLimit().orElse(0))));
    all.add(
        huge(
            "container_hugetlb_usage_bytes",
            "huge pages in use, by their size",
            MetricType.GAUGE,
            HugepageStats::usage));
    all.add(
        huge(
            "container_hugetlb_failcnt",
            "how often its limit of huge pages was met",
            MetricType.COUNTER,
            HugepageStats::failures));
    all.add(
        gauge(
            "container_start_time_seconds",
            "when it was started, in seconds since 1970",
            stats ->
                single(
                    stats.more().flatMap(Measurement::startedAt).map(Instant::getEpochSecond), 1)));
    all.add(
        more(
            "container_last_seen",
            "when this was measured, in seconds since 1970",
            false,
            more -> more.at().getEpochSecond()));
    all.add(
        spec(
            "container_spec_cpu_period",
            "the period of its CPU quota, in microseconds",
            LinuxResources::cpuPeriod));
    all.add(
        spec(
            "container_spec_cpu_quota",
            "its CPU quota in a period, in microseconds",
            LinuxResources::cpuQuota));
    all.add(spec("container_spec_cpu_shares", "its CPU shares", LinuxResources::cpuShares));
    all.add(
        optional(
            "container_spec_memory_limit_bytes",
            "its memory limit; 0: none",
            more -> OptionalLong.of(more.memoryLimit().orElse(0))));
    all.add(
        optional(
            "container_spec_memory_swap_limit_bytes",
            "its swap limit; 0: none",
            more -> OptionalLong.of(more.swapLimit().orElse(0))));
    all.add(
        gauge(
            "container_fs_usage_bytes",
            "bytes written to the root file system that are still there",
            stats -> single(stats.writableLayer().map(FilesystemStats::usedBytes), 1)));
    all.add(
        gauge(
            "container_fs_inodes_used",
            "files written to the root file system that are still there",
            stats -> single(stats.writableLayer().map(FilesystemStats::usedInodes), 1)));
    all.add(
        new Measure<>(
            "container_blkio_device_usage_total",
            "bytes read from and written to a device",
            MetricType.COUNTER,
            List.of("device", "major", "minor", "operation"),
            stats ->
                stats.io().stream()
                    .flatMap(io -> io.devices().stream())
                    .flatMap(
                        device ->
                            Stream.of(
                                new Value(device.readBytes(), place(device, "Read")),
                                new Value(device.writtenBytes(), place(device, "Write"))))));
    all.add(device("container_fs_reads_bytes_total", "bytes read", IoStats.Device::readBytes));
    all.add(
        device("container_fs_writes_bytes_total", "bytes written", IoStats.Device::writtenBytes));
    all.add(device("container_fs_reads_total", "reads", IoStats.Device::reads));
    all.add(device("container_fs_writes_total", "writes", IoStats.Device::writes));
    pressure(all, "cpu", "CPU", stats -> stats.cpu().flatMap(CpuStats::psi));
    pressure(all, "memory", "memory", stats -> stats.memory().flatMap(MemoryStats::psi));
    pressure(all, "io", "I/O", stats -> stats.io().flatMap(IoStats::psi));
    return List.copyOf(all);
  }

  /** What takes a look at each process and at the file system. */
  private static List<Measure<ContainerMeasurements>> lookedAt() {
    return List.of(
        processes("container_processes", "processes", ProcessCounts::processes),
        processes("container_threads", "threads of its processes", ProcessCounts::threads),
        processes(
            "container_file_descriptors",
            "file descriptors that its processes have open",
            ProcessCounts::fileDescriptors),
        processes("container_sockets", "sockets among these", ProcessCounts::sockets),
        new Measure<>(
            "container_ulimits_soft",
            "soft limits of its main process",
            MetricType.GAUGE,
            List.of("ulimit"),
            seen ->
                seen.openFilesLimit().stream()
                    .mapToObj(limit -> new Value(limit, List.of("max_open_files")))),
        filesystem(
            "container_fs_limit_bytes",
            "the size of the file system that its root file system is written to",
            FilesystemSize::bytes),
        filesystem(
            "container_fs_inodes_total", "inodes of that file system", FilesystemSize::inodes),
        filesystem(
            "container_fs_inodes_free",
            "inodes of that file system that are free",
            FilesystemSize::inodesFree));
  }

  private static Measure<ContainerMeasurements> processes(
      String metric, String help, ToLongFunction<ProcessCounts> value) {
    return new Measure<>(
        metric,
        help,
        MetricType.GAUGE,
        List.of(),
        seen -> single(Optional.of(value.applyAsLong(seen.processes())), 1));
  }

  private static Measure<ContainerMeasurements> filesystem(
      String metric, String help, ToLongFunction<FilesystemSize> value) {
    return new Measure<>(
        metric,
        help,
        MetricType.GAUGE,
        List.of(),
        seen -> single(seen.filesystem().map(value::applyAsLong), 1));
  }

  private static void pressure(
      List<Measure<ContainerStats>> all,
      String resource,
      String words,
      Function<ContainerStats, Optional<Psi>> psi) {
    String prefix = "container_pressure_" + resource;
    all.add(
        counter(
            prefix + "_waiting_seconds_total",
            "seconds in which some of it waited for " + words,
            stats -> single(psi.apply(stats).map(now -> now.some().totalMicros()), MICROS)));
    all.add(
        counter(
            prefix + "_stalled_seconds_total",
            "seconds in which all of it waited for " + words,
            stats -> single(psi.apply(stats).map(now -> now.full().totalMicros()), MICROS)));
  }

  private static List<Measure<NetworkStats>> interfaces() {
    List<Measure<NetworkStats>> all = new ArrayList<>();
    direction(all, "receive", "received", NetworkStats::received);
    direction(all, "transmit", "sent", NetworkStats::sent);
    return List.copyOf(all);
  }

  private static void direction(
      List<Measure<NetworkStats>> all,
      String word,
      String done,
      Function<NetworkStats, NetworkStats.Direction> direction) {
    String prefix = "container_network_" + word;
    all.add(traffic(prefix + "_bytes_total", "bytes " + done, direction, d -> d.bytes()));
    all.add(traffic(prefix + "_packets_total", "packets " + done, direction, d -> d.packets()));
    all.add(
        traffic(
            prefix + "_errors_total",
            "packets not " + done + " right",
            direction,
            d -> d.errors()));
    all.add(
        traffic(
            prefix + "_packets_dropped_total",
            "packets dropped instead of being " + done,
            direction,
            d -> d.dropped()));
  }

  private static Measure<NetworkStats> traffic(
      String metric,
      String help,
      Function<NetworkStats, NetworkStats.Direction> direction,
      ToLongFunction<NetworkStats.Direction> count) {
    return new Measure<>(
        metric,
        help,
        MetricType.COUNTER,
        List.of("interface"),
        stats ->
            Stream.of(new Value(count.applyAsLong(direction.apply(stats)), List.of(stats.name()))));
  }

  static List<MetricDescriptor> descriptors() {
    return Stream.of(CONTAINER, LOOKED_AT, INTERFACE)
        .flatMap(List::stream)
        .map(
            measure ->
                MetricDescriptor.newBuilder()
                    .setName(measure.metric())
                    .setHelp(measure.help())
                    .addAllLabelKeys(COMMON)
                    .addAllLabelKeys(measure.labels())
                    .build())
        .toList();
  }

  static List<PodSandboxMetrics> of(List<PodMeasurements> pods) {
    return pods.stream().map(PodMetrics::of).toList();
  }

  private static PodSandboxMetrics of(PodMeasurements measured) {
    PodStats pod = measured.stats();
    PodSandboxMetrics.Builder cri = PodSandboxMetrics.newBuilder().setPodSandboxId(pod.id());
    List<String> labels = labels(pod, pod.id(), "POD");
    for (NetworkStats network : pod.interfaces()) {
      for (Measure<NetworkStats> measure : INTERFACE) {
        measure
            .values()
            .apply(network)
            .forEach(value -> cri.addMetrics(metric(measure, network.at(), labels, value)));
      }
    }
    for (ContainerMeasurements container : measured.containers()) {
      cri.addContainerMetrics(of(pod, container));
    }
    return cri.build();
  }

  private static ContainerMetrics of(PodStats pod, ContainerMeasurements measured) {
    ContainerStats container = measured.stats();
    ContainerMetrics.Builder cri = ContainerMetrics.newBuilder().setContainerId(container.id());
    List<String> labels = labels(pod, container.id(), container.metadata().name());
    Instant at = container.more().map(Measurement::at).orElseGet(Instant::now);
    for (Measure<ContainerStats> measure : CONTAINER) {
      measure
          .values()
          .apply(container)
          .forEach(value -> cri.addMetrics(metric(measure, at, labels, value)));
    }
    for (Measure<ContainerMeasurements> measure : LOOKED_AT) {
      measure
          .values()
          .apply(measured)
          .forEach(value -> cri.addMetrics(metric(measure, at, labels, value)));
    }
    return cri.build();
  }

  private static List<String> labels(PodStats pod, String id, String container) {
    return List.of(id, id, container, pod.metadata().name(), pod.metadata().namespace());
  }

  private static Metric metric(Measure<?> measure, Instant at, List<String> common, Value value) {
    return Metric.newBuilder()
        .setName(measure.metric())
        .setTimestamp(Times.nanos(at))
        .setMetricType(measure.type())
        .addAllLabelValues(common)
        .addAllLabelValues(value.labels())
        .setValue(StatsTranslation.number(value.number()))
        .build();
  }
}
