package io.jrt.server.metrics;

import io.jrt.core.device.Gpu;
import io.jrt.core.device.GpuUse;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.util.List;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;

/** GPUs, what of them is in use, and who has them. */
final class GpuMetrics {
  private final Supplier<List<GpuUse>> gpus;
  private final PrometheusRegistry registry;

  GpuMetrics(Supplier<List<GpuUse>> gpus, PrometheusRegistry registry) {
    this.gpus = gpus;
    this.registry = registry;
  }

  void register() {
    GaugeWithCallback.builder()
        .name("jrt_gpu_info")
        .help("A GPU, or a part of one; always 1.")
        .labelNames("gpu", "uuid", "model", "driver", "pci")
        .callback(
            to -> {
              for (GpuUse use : gpus.get()) {
                Gpu gpu = use.gpu();
                to.call(1, gpu.cdiName(), gpu.uuid(), gpu.name(), gpu.driver(), gpu.pciAddress());
              }
            })
        .register(registry);
    gauge("jrt_gpu_memory_bytes", "Memory of a GPU.", gpu -> known(gpu.use().memoryBytes()));
    gauge(
        "jrt_gpu_memory_used_bytes",
        "Memory of a GPU that is in use.",
        gpu -> gpu.use().memoryBytes() == 0 ? Double.NaN : gpu.use().memoryUsed());
    gauge(
        "jrt_gpu_busy_ratio",
        "Time in which a GPU computes.",
        gpu ->
            gpu.use().busyPercent().isPresent()
                ? gpu.use().busyPercent().getAsInt() / 100.0
                : Double.NaN);
    GaugeWithCallback.builder()
        .name("jrt_gpu_container")
        .help("A running container that has a GPU; always 1.")
        .labelNames("gpu", "uuid", "container")
        .callback(
            to -> {
              for (GpuUse use : gpus.get()) {
                for (String container : use.containerIds()) {
                  to.call(1, use.gpu().cdiName(), use.gpu().uuid(), container);
                }
              }
            })
        .register(registry);
  }

  private static double known(long value) {
    return value == 0 ? Double.NaN : value;
  }

  /** A value of each GPU that has one. */
  private void gauge(String name, String help, ToDoubleFunction<Gpu> value) {
    GaugeWithCallback.builder()
        .name(name)
        .help(help)
        .labelNames("gpu", "uuid")
        .callback(
            to -> {
              for (GpuUse use : gpus.get()) {
                double now = value.applyAsDouble(use.gpu());
                if (!Double.isNaN(now)) {
                  to.call(now, use.gpu().cdiName(), use.gpu().uuid());
                }
              }
            })
        .register(registry);
  }
}
