package io.jrt.server.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrt.core.device.Gpu;
import io.jrt.core.device.GpuUse;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class GpuMetricsTest {
  private static final Gpu MEASURED =
      new Gpu(
          "nvidia.com/gpu=0",
          "GPU-1",
          "A100",
          "nvidia 550.54",
          "0000:18:00.0",
          List.of("/dev/nvidia0"),
          new Gpu.Use(1000, 0, OptionalInt.of(42)));
  private static final Gpu SILENT =
      new Gpu(
          "intel.com/gpu=0",
          "",
          "Intel",
          "xe",
          "0000:00:02.0",
          List.of(),
          new Gpu.Use(0, 0, OptionalInt.empty()));

  private static String scrape(List<GpuUse> gpus) throws IOException {
    PrometheusRegistry registry = new PrometheusRegistry();
    new GpuMetrics(() -> gpus, registry).register();
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    PrometheusTextFormatWriter.create().write(out, registry.scrape());
    return out.toString(StandardCharsets.UTF_8);
  }

  @Test
  void eachGpuWithWhatIsKnownOfItAndWhoHasIt() throws IOException {
    assertThat(
            scrape(
                List.of(new GpuUse(MEASURED, List.of("c1", "c2")), new GpuUse(SILENT, List.of()))))
        .contains(
            "jrt_gpu_info{driver=\"nvidia 550.54\",gpu=\"nvidia.com/gpu=0\",model=\"A100\","
                + "pci=\"0000:18:00.0\",uuid=\"GPU-1\"} 1",
            "jrt_gpu_memory_bytes{gpu=\"nvidia.com/gpu=0\",uuid=\"GPU-1\"} 1000",
            "jrt_gpu_memory_used_bytes{gpu=\"nvidia.com/gpu=0\",uuid=\"GPU-1\"} 0",
            "jrt_gpu_busy_ratio{gpu=\"nvidia.com/gpu=0\",uuid=\"GPU-1\"} 0.42",
            "jrt_gpu_container{container=\"c2\",gpu=\"nvidia.com/gpu=0\",uuid=\"GPU-1\"} 1",
            "jrt_gpu_info{driver=\"xe\",gpu=\"intel.com/gpu=0\"")
        .doesNotContain("jrt_gpu_memory_bytes{gpu=\"intel.com/gpu=0\"");
  }

  @Test
  void nodeWithoutGpusSaysNothingOfThem() throws IOException {
    assertThat(scrape(List.of())).doesNotContain("nvidia", "intel");
  }
}
