package io.jrt.server.admin;

import io.grpc.stub.StreamObserver;
import io.jrt.admin.v1.ContainerUse;
import io.jrt.admin.v1.StatsRequest;
import io.jrt.admin.v1.StatsResponse;
import io.jrt.core.ContainerRuntime;
import io.jrt.core.ContainerStats;
import io.jrt.core.CpuStats;
import io.jrt.core.FilesystemStats;
import io.jrt.core.MemoryStats;
import io.jrt.core.NetworkStats;
import io.jrt.core.PodFilter;
import io.jrt.core.PodState;
import io.jrt.core.PodStats;
import io.jrt.server.rpc.Answers;
import io.jrt.server.rpc.Sink;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What pods and containers use, once or again and again. */
final class Stats {
  private static final Logger log = LoggerFactory.getLogger(Stats.class);
  private static final long SHORTEST_MILLIS = 100;
  private static final PodFilter READY = new PodFilter("", Optional.of(PodState.READY), Map.of());

  private final ContainerRuntime runtime;

  Stats(ContainerRuntime runtime) {
    this.runtime = runtime;
  }

  void handle(StatsRequest request, StreamObserver<StatsResponse> client) {
    Answers.stream(client, sink -> run(request, sink));
  }

  private void run(StatsRequest request, Sink<StatsResponse> sink) {
    sink.send(measure(request.getNamesList()));
    try {
      while (request.getInterval() > 0 && !sink.isGone()) {
        Thread.sleep(Math.max(SHORTEST_MILLIS, request.getInterval()));
        sink.send(measure(request.getNamesList()));
      }
    } catch (InterruptedException e) {
      log.debug("the reader of statistics left");
    }
  }

  private StatsResponse measure(List<String> names) {
    StatsResponse.Builder response = StatsResponse.newBuilder().setAt(Times.nanos(Instant.now()));
    for (PodStats pod : runtime.podStats(READY)) {
      for (ContainerStats container : pod.containers()) {
        if (wanted(names, pod, container)) {
          response.addContainers(use(pod, container));
        }
      }
    }
    return response.build();
  }

  private static boolean wanted(List<String> names, PodStats pod, ContainerStats container) {
    return names.isEmpty()
        || names.stream()
            .anyMatch(name -> container.id().startsWith(name) || pod.id().startsWith(name));
  }

  private static ContainerUse use(PodStats pod, ContainerStats container) {
    Optional<MemoryStats> memory = container.memory();
    long workingSet = memory.map(MemoryStats::workingSet).orElse(0L);
    long available = memory.map(MemoryStats::available).map(left -> left.orElse(-1)).orElse(-1L);
    return ContainerUse.newBuilder()
        .setId(container.id())
        .setPodId(pod.id())
        .setName(container.metadata().name())
        .setCpuNanos(container.cpu().map(CpuStats::usageCoreNanos).orElse(0L))
        .setMemoryBytes(workingSet)
        .setMemoryLimit(available < 0 ? 0 : workingSet + available)
        .setRxBytes(pod.interfaces().stream().mapToLong(NetworkStats::rxBytes).sum())
        .setTxBytes(pod.interfaces().stream().mapToLong(NetworkStats::txBytes).sum())
        .setProcesses(pod.processes().orElse(0))
        .setDiskBytes(container.writableLayer().map(FilesystemStats::usedBytes).orElse(0L))
        .build();
  }
}
