package io.jrt.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Set;
import org.junit.jupiter.api.Test;

class GpuNamesTest {
  private static final Set<String> NODE = Set.of("amd.com/gpu=0", "amd.com/gpu=all");

  @Test
  void gpuIsOfTheVendorWhoseTheNodeHas() {
    assertThat(GpuNames.choose("all", NODE)).isEqualTo("amd.com/gpu=all");
    assertThat(GpuNames.choose("0", Set.of("nvidia.com/gpu=0", "amd.com/gpu=0")))
        .isEqualTo("nvidia.com/gpu=0");
  }

  @Test
  void unknownGpuIsNamedInTheErrorToCome() {
    assertThat(GpuNames.choose("7", NODE)).isEqualTo("nvidia.com/gpu=7");
  }
}
