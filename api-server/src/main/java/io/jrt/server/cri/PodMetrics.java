package io.jrt.server.cri;

import io.jrt.core.ContainerStats;
import io.jrt.core.FilesystemStats;
import io.jrt.core.MemoryStats;
import io.jrt.core.NetworkStats;
import io.jrt.core.PodStats;
import io.jrt.core.SwapStats;
import io.jrt.cri.v1.ContainerMetrics;
import io.jrt.cri.v1.Metric;
import io.jrt.cri.v1.MetricDescriptor;
import io.jrt.cri.v1.MetricType;
import io.jrt.cri.v1.PodSandboxMetrics;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.ToLongFunction;

/** Measurements under the names that cAdvisor made known, for ListPodSandboxMetrics. */
final class PodMetrics {
  private static final List<String> CONTAINER_LABELS =
      List.of("id", "name", "container", "pod", "namespace");
  private static final List<String> INTERFACE_LABELS =
      List.of("id", "pod", "namespace", "interface");

  /** A metric of a container: absent where the kernel does not tell it. */
  private record OfContainer(
      String metric,
      String help,
      MetricType type,
      Function<ContainerStats, Optional<Long>> value) {}

  /** A counter of one interface of a pod. */
  private record OfInterface(String metric, String help, ToLongFunction<NetworkStats> value) {}

  private static final List<OfContainer> CONTAINER =
      List.of(
          new OfContainer(
              "container_cpu_usage_seconds_total",
              "CPU time since the start, in seconds",
              MetricType.COUNTER,
              stats -> stats.cpu().map(cpu -> cpu.usageCoreNanos() / 1_000_000_000L)),
          new OfContainer(
              "container_memory_working_set_bytes",
              "memory in use that is not soon to be reclaimed",
              MetricType.GAUGE,
              stats -> stats.memory().map(MemoryStats::workingSet)),
          new OfContainer(
              "container_memory_usage_bytes",
              "memory in use, page cache included",
              MetricType.GAUGE,
              stats -> stats.memory().map(MemoryStats::usage)),
          new OfContainer(
              "container_memory_rss",
              "anonymous memory in use",
              MetricType.GAUGE,
              stats -> stats.memory().map(MemoryStats::rss)),
          new OfContainer(
              "container_memory_failures_total",
              "page faults since the start",
              MetricType.COUNTER,
              stats -> stats.memory().map(MemoryStats::pageFaults)),
          new OfContainer(
              "container_memory_swap",
              "swap in use",
              MetricType.GAUGE,
              stats -> stats.swap().map(SwapStats::usage)),
          new OfContainer(
              "container_fs_usage_bytes",
              "bytes written to the root file system that are still there",
              MetricType.GAUGE,
              stats -> stats.writableLayer().map(FilesystemStats::usedBytes)));

  private static final List<OfInterface> INTERFACE =
      List.of(
          new OfInterface(
              "container_network_receive_bytes_total", "bytes received", NetworkStats::rxBytes),
          new OfInterface(
              "container_network_receive_errors_total", "errors receiving", NetworkStats::rxErrors),
          new OfInterface(
              "container_network_transmit_bytes_total", "bytes sent", NetworkStats::txBytes),
          new OfInterface(
              "container_network_transmit_errors_total", "errors sending", NetworkStats::txErrors));

  private PodMetrics() {}

  static List<MetricDescriptor> descriptors() {
    List<MetricDescriptor> all = new ArrayList<>();
    for (OfContainer one : CONTAINER) {
      all.add(descriptor(one.metric, one.help, CONTAINER_LABELS));
    }
    for (OfInterface one : INTERFACE) {
      all.add(descriptor(one.metric, one.help, INTERFACE_LABELS));
    }
    return all;
  }

  private static MetricDescriptor descriptor(String name, String help, List<String> labels) {
    return MetricDescriptor.newBuilder()
        .setName(name)
        .setHelp(help)
        .addAllLabelKeys(labels)
        .build();
  }

  static List<PodSandboxMetrics> of(List<PodStats> pods) {
    return pods.stream().map(PodMetrics::of).toList();
  }

  private static PodSandboxMetrics of(PodStats pod) {
    PodSandboxMetrics.Builder cri = PodSandboxMetrics.newBuilder().setPodSandboxId(pod.id());
    for (NetworkStats network : pod.interfaces()) {
      List<String> labels =
          List.of(pod.id(), pod.metadata().name(), pod.metadata().namespace(), network.name());
      for (OfInterface one : INTERFACE) {
        cri.addMetrics(
            metric(
                one.metric,
                MetricType.COUNTER,
                network.at(),
                labels,
                one.value.applyAsLong(network)));
      }
    }
    for (ContainerStats container : pod.containers()) {
      cri.addContainerMetrics(of(pod, container));
    }
    return cri.build();
  }

  private static ContainerMetrics of(PodStats pod, ContainerStats container) {
    ContainerMetrics.Builder cri = ContainerMetrics.newBuilder().setContainerId(container.id());
    List<String> labels =
        Arrays.asList(
            container.id(),
            container.id(),
            container.metadata().name(),
            pod.metadata().name(),
            pod.metadata().namespace());
    Instant at = container.cpu().map(cpu -> cpu.at()).orElseGet(Instant::now);
    for (OfContainer one : CONTAINER) {
      one.value
          .apply(container)
          .ifPresent(value -> cri.addMetrics(metric(one.metric, one.type, at, labels, value)));
    }
    return cri.build();
  }

  private static Metric metric(
      String name, MetricType type, Instant at, List<String> labels, long value) {
    return Metric.newBuilder()
        .setName(name)
        .setTimestamp(Times.nanos(at))
        .setMetricType(type)
        .addAllLabelValues(labels)
        .setValue(StatsTranslation.number(value))
        .build();
  }
}
