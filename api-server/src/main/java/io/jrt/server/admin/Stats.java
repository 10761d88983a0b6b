package io.jrt.server.admin;

import io.grpc.stub.StreamObserver;
import io.jrt.admin.v1.ContainerUse;
import io.jrt.admin.v1.StatsRequest;
import io.jrt.admin.v1.StatsResponse;
import io.jrt.core.ContainerRuntime;
import io.jrt.core.ContainerStats;
import io.jrt.core.CpuStats;
import io.jrt.core.FilesystemStats;
import io.jrt.core.IoStats;
import io.jrt.core.MemoryStats;
import io.jrt.core.PodFilter;
import io.jrt.core.PodState;
import io.jrt.core.PodStats;
import io.jrt.core.Psi;
import io.jrt.server.rpc.Answers;
import io.jrt.server.rpc.Sink;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToLongFunction;
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
    return ContainerUse.newBuilder()
        .setId(container.id())
        .setPodId(pod.id())
        .setName(container.metadata().name())
        .setCpuNanos(container.cpu().map(CpuStats::usageCoreNanos).orElse(0L))
        .setMemoryBytes(workingSet)
        .setMemoryLimit(container.more().map(more -> more.memoryLimit().orElse(0)).orElse(0L))
        .setRxBytes(pod.interfaces().stream().mapToLong(net -> net.received().bytes()).sum())
        .setTxBytes(pod.interfaces().stream().mapToLong(net -> net.sent().bytes()).sum())
        .setProcesses(container.more().map(more -> more.processes().orElse(0)).orElse(0L))
        .setPod(pod.metadata().name())
        .setNamespace(pod.metadata().namespace())
        .setReadBytes(sum(container, IoStats.Device::readBytes))
        .setWrittenBytes(sum(container, IoStats.Device::writtenBytes))
        .setCpuPressure(pressure(container.cpu().flatMap(CpuStats::psi)))
        .setMemoryPressure(pressure(memory.flatMap(MemoryStats::psi)))
        .setIoPressure(pressure(container.io().flatMap(IoStats::psi)))
        .setDiskBytes(container.writableLayer().map(FilesystemStats::usedBytes).orElse(0L))
        .setDiskLimit(
            container.writableLayer().map(layer -> layer.limitBytes().orElse(0)).orElse(0L))
        .build();
  }

  private static long sum(ContainerStats container, ToLongFunction<IoStats.Device> count) {
    return container.io().stream().flatMap(io -> io.devices().stream()).mapToLong(count).sum();
  }

  private static double pressure(Optional<Psi> psi) {
    return psi.map(now -> now.some().avg10()).orElse(0.0);
  }
}
