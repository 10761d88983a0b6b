package io.jrt.server.metrics;

import io.grpc.Status;
import io.jrt.core.ContainerFilter;
import io.jrt.core.ContainerRuntime;
import io.jrt.core.ContainerState;
import io.jrt.core.ContainerSummary;
import io.jrt.core.CpuStats;
import io.jrt.core.Measurement;
import io.jrt.core.MemoryStats;
import io.jrt.core.OperationInfo;
import io.jrt.core.PodFilter;
import io.jrt.core.PodState;
import io.jrt.core.PodStats;
import io.jrt.core.device.GpuUse;
import io.jrt.core.op.OperationObserver;
import io.jrt.events.ContainerEvent;
import io.jrt.events.Delivery;
import io.jrt.events.Event;
import io.jrt.events.ImageEvent;
import io.jrt.events.Subscription;
import io.jrt.server.image.Images;
import io.jrt.server.rpc.CallObserver;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.CounterWithCallback;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.ToLongFunction;

/**
 * The daemon's metrics. What happens often is counted as it happens; how things stand is looked up
 * when somebody asks.
 */
public final class Metrics implements CallObserver, OperationObserver, AutoCloseable {
  private static final double NANOS = 1e9;
  private static final double[] CALL_BOUNDS = {
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60
  };
  private static final PodFilter READY = new PodFilter("", Optional.of(PodState.READY), Map.of());

  private final PrometheusRegistry registry = new PrometheusRegistry();
  private final Histogram calls =
      Histogram.builder()
          .name("jrt_request_duration_seconds")
          .help("How long calls of CRI and the admin API took.")
          .labelNames("method", "result")
          .classicOnly()
          .classicUpperBounds(CALL_BOUNDS)
          .register(registry);
  private final Histogram steps =
      Histogram.builder()
          .name("jrt_operation_step_duration_seconds")
          .help("How long the steps of operations took.")
          .labelNames("operation", "step", "result")
          .classicOnly()
          .classicUpperBounds(CALL_BOUNDS)
          .register(registry);
  private final Counter events =
      Counter.builder()
          .name("jrt_events_total")
          .help("What happened, by kind.")
          .labelNames("event")
          .register(registry);
  private final Counter missed =
      Counter.builder()
          .name("jrt_metrics_missed_events_total")
          .help("Events that these metrics did not see.")
          .register(registry);
  private final Histogram pulls =
      Histogram.builder()
          .name("jrt_image_pull_duration_seconds")
          .help("How long pulls that succeeded took.")
          .classicOnly()
          .classicUpperBounds(0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
          .register(registry);
  private final Counter pulled =
      Counter.builder()
          .name("jrt_image_pulled_bytes_total")
          .help("Bytes of images fetched over the network.")
          .register(registry);
  private final Counter exits =
      Counter.builder()
          .name("jrt_container_exits_total")
          .help("Containers that ended, by reason.")
          .labelNames("reason")
          .register(registry);
  private final ContainerRuntime runtime;
  private final Subscription subscription;
  private final Thread listener;
  private List<PodStats> pods = List.of();
  private List<GpuUse> gpus = List.of();

  public Metrics(String version, ContainerRuntime runtime, Images images) {
    this.runtime = runtime;
    subscription = runtime.events().subscribe();
    listener = Thread.ofVirtual().name("metrics").unstarted(this::listen);
    GaugeWithCallback.builder()
        .name("jrt_build_info")
        .help("Which daemon this is; always 1.")
        .labelNames("version", "java")
        .callback(to -> to.call(1, version, Runtime.version().toString()))
        .register(registry);
    objects();
    images(images);
    use();
    new GpuMetrics(() -> gpus, registry).register();
    jvm();
    listener.start();
  }

  /** All of it, as it is now. What several metrics are made of is looked at once. */
  public synchronized MetricSnapshots scrape() {
    pods = runtime.podStats(READY);
    gpus = runtime.gpus();
    return registry.scrape();
  }

  @Override
  public void ended(String method, Status.Code code, long nanos) {
    calls.labelValues(method, code.name().toLowerCase(Locale.ROOT)).observe(nanos / NANOS);
  }

  @Override
  public Heard began(String operation, String key) {
    return (step, since, until, failed) ->
        steps
            .labelValues(operation, step, failed ? "error" : "ok")
            .observe(Duration.between(since, until).toNanos() / NANOS);
  }

  private void listen() {
    try {
      while (!subscription.isClosed()) {
        Optional<Delivery> next = subscription.next(Duration.ofMinutes(1));
        if (next.isPresent()) {
          switch (next.get()) {
            case Delivery.Happened(var recorded) -> count(recorded.event());
            case Delivery.Missed(long lost, _) -> missed.inc(lost);
          }
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void count(Event event) {
    events.labelValues(event.name()).inc();
    if (event instanceof ImageEvent.Pulled image) {
      pulls.observe(image.millis() / 1e3);
      pulled.inc(image.bytes());
    } else if (event instanceof ContainerEvent.Exited exited) {
      exits.labelValues(exited.reason()).inc();
    }
  }

  private void objects() {
    GaugeWithCallback.builder()
        .name("jrt_pods")
        .help("Pods, by state.")
        .labelNames("state")
        .callback(
            to -> {
              Map<PodState, Integer> counts = new EnumMap<>(PodState.class);
              for (PodState state : PodState.values()) {
                counts.put(state, 0);
              }
              runtime
                  .pods(new PodFilter("", Optional.empty(), Map.of()))
                  .forEach(pod -> counts.merge(pod.state(), 1, Integer::sum));
              counts.forEach(
                  (state, count) -> to.call(count, state.name().toLowerCase(Locale.ROOT)));
            })
        .register(registry);
    GaugeWithCallback.builder()
        .name("jrt_containers")
        .help("Containers, by state.")
        .labelNames("state")
        .callback(
            to -> {
              Map<String, Integer> counts = new TreeMap<>();
              for (String state : List.of("created", "running", "exited", "unknown")) {
                counts.put(state, 0);
              }
              runtime
                  .containers(ContainerFilter.ALL)
                  .forEach(container -> counts.merge(state(container), 1, Integer::sum));
              counts.forEach((state, count) -> to.call(count, state));
            })
        .register(registry);
    GaugeWithCallback.builder()
        .name("jrt_operations")
        .help("Operations under way, by name.")
        .labelNames("operation")
        .callback(
            to -> {
              Map<String, Integer> counts = new TreeMap<>();
              for (OperationInfo operation : runtime.operations()) {
                counts.merge(operation.name(), 1, Integer::sum);
              }
              counts.forEach((name, count) -> to.call(count, name));
            })
        .register(registry);
  }

  private static String state(ContainerSummary container) {
    return switch (container.state()) {
      case ContainerState.Created _ -> "created";
      case ContainerState.Running _ -> "running";
      case ContainerState.Exited _ -> "exited";
      case ContainerState.Unknown _ -> "unknown";
    };
  }

  private void images(Images images) {
    GaugeWithCallback.builder()
        .name("jrt_images")
        .help("Images in the store.")
        .callback(to -> to.call(images.list("").size()))
        .register(registry);
    GaugeWithCallback.builder()
        .name("jrt_image_store_bytes")
        .help("Bytes of the store on disk, by what they are.")
        .labelNames("part")
        .callback(
            to -> {
              to.call((double) images.imageUsage().bytes(), "images");
              to.call((double) images.containerUsage().bytes(), "containers");
            })
        .register(registry);
  }

  /** Sums over the ready pods; what each takes is in CRI's own statistics. */
  private void use() {
    CounterWithCallback.builder()
        .name("jrt_pods_cpu_seconds_total")
        .help("CPU time of the pods that are ready.")
        .callback(
            to -> to.call(sum(pod -> pod.cpu().map(CpuStats::usageCoreNanos).orElse(0L)) / NANOS))
        .register(registry);
    GaugeWithCallback.builder()
        .name("jrt_pods_memory_working_set_bytes")
        .help("Working set of the pods that are ready.")
        .callback(to -> to.call(sum(pod -> pod.memory().map(MemoryStats::workingSet).orElse(0L))))
        .register(registry);
    GaugeWithCallback.builder()
        .name("jrt_pods_processes")
        .help("Processes and threads of the pods that are ready.")
        .callback(to -> to.call(sum(pod -> pod.processes().orElse(0))))
        .register(registry);
    CounterWithCallback.builder()
        .name("jrt_pods_cpu_throttled_seconds_total")
        .help("Time for which the containers of ready pods were throttled by their CPU quota.")
        .callback(
            to ->
                to.call(
                    sum(
                            pod ->
                                pod.containers().stream()
                                    .flatMap(container -> container.more().stream())
                                    .mapToLong(Measurement::throttledNanos)
                                    .sum())
                        / NANOS))
        .register(registry);
  }

  private double sum(ToLongFunction<PodStats> value) {
    return pods.stream().mapToLong(value).sum();
  }

  private void jvm() {
    GaugeWithCallback.builder()
        .name("jrt_jvm_memory_used_bytes")
        .help("Memory of the Java virtual machine in use.")
        .labelNames("area")
        .callback(
            to -> {
              var memory = ManagementFactory.getMemoryMXBean();
              to.call((double) memory.getHeapMemoryUsage().getUsed(), "heap");
              to.call((double) memory.getNonHeapMemoryUsage().getUsed(), "nonheap");
            })
        .register(registry);
    GaugeWithCallback.builder()
        .name("jrt_jvm_threads")
        .help("Platform threads.")
        .callback(to -> to.call(ManagementFactory.getThreadMXBean().getThreadCount()))
        .register(registry);
    CounterWithCallback.builder()
        .name("jrt_jvm_gc_seconds_total")
        .help("Time taken by garbage collection.")
        .labelNames("collector")
        .callback(
            to -> {
              for (GarbageCollectorMXBean gc : ManagementFactory.getGarbageCollectorMXBeans()) {
                to.call(Math.max(0, gc.getCollectionTime()) / 1e3, gc.getName());
              }
            })
        .register(registry);
    GaugeWithCallback.builder()
        .name("jrt_process_start_time_seconds")
        .help("When the daemon was started, in seconds since 1970.")
        .callback(to -> to.call(ManagementFactory.getRuntimeMXBean().getStartTime() / 1e3))
        .register(registry);
  }

  @Override
  public void close() {
    subscription.close();
    listener.interrupt();
  }
}
