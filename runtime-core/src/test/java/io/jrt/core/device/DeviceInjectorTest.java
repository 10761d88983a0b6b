package io.jrt.core.device;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrt.core.ContainerConfig;
import io.jrt.core.EnvVar;
import io.jrt.core.device.DeviceSettings.VisibleDevices;
import io.jrt.linux.Kernel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Which devices a container is to have. */
class DeviceInjectorTest {
  private static final CdiSpec NVIDIA =
      new CdiSpec(
          "found",
          "0.5.0",
          "nvidia.com/gpu",
          Map.of(),
          List.of(
              CdiSpec.Device.of(
                  "0", CdiEdits.of(List.of(CdiEdits.Node.of("/dev/nvidia0")), List.of()))),
          CdiEdits.NONE);
  private static final List<EnvVar> OF_IMAGE =
      List.of(EnvVar.of("NVIDIA_VISIBLE_DEVICES", "all"), EnvVar.of("PATH", "/bin"));

  private static List<String> names(
      VisibleDevices visible, List<CdiSpec> found, ContainerConfig config) {
    DeviceSettings settings =
        new DeviceSettings(
            List.of(), Path.of("/none"), true, visible, true, Duration.ofSeconds(10));
    return new DeviceInjector(
            Kernel.open().files(), new CdiRegistry(List.of(), () -> found), settings)
        .names(config, config.environment().isEmpty() ? OF_IMAGE : config.environment());
  }

  private static ContainerConfig config(
      List<String> devices, Map<String, String> annotations, List<EnvVar> environment) {
    ContainerConfig plain = ContainerConfig.of("c", "image", List.of());
    return new ContainerConfig(
        plain.metadata(),
        plain.image(),
        plain.command(),
        plain.args(),
        plain.workingDirectory(),
        environment,
        plain.mounts(),
        plain.devices(),
        devices,
        plain.labels(),
        annotations,
        plain.logPath(),
        plain.stdin(),
        plain.stdinOnce(),
        plain.tty(),
        plain.resources(),
        plain.security(),
        plain.stopSignal());
  }

  private static ContainerConfig variable(String value) {
    return config(List.of(), Map.of(), List.of(EnvVar.of("NVIDIA_VISIBLE_DEVICES", value)));
  }

  @Test
  void devicesOfTheFieldAndOfAnnotationsEachOnce() {
    ContainerConfig config =
        config(
            List.of("jrt.io/gpu=1", "jrt.io/gpu=0"),
            Map.of("cdi.k8s.io/plugin_b", "jrt.io/nic=a, jrt.io/gpu=0", "other", "jrt.io/gpu=9"),
            List.of());
    assertThat(names(VisibleDevices.IMAGE, List.of(NVIDIA), config))
        .containsExactly("jrt.io/gpu=1", "jrt.io/gpu=0", "jrt.io/nic=a");
  }

  @Test
  void variableOfAnImageAsksForNothingUnlessImagesAreTrusted() {
    ContainerConfig config = config(List.of(), Map.of(), List.of());
    assertThat(names(VisibleDevices.NEVER, List.of(NVIDIA), config)).isEmpty();
    assertThat(names(VisibleDevices.POD, List.of(NVIDIA), config)).isEmpty();
    assertThat(names(VisibleDevices.IMAGE, List.of(NVIDIA), config))
        .containsExactly("nvidia.com/gpu=all");
  }

  @Test
  void variableOfThePodIsListOfGpus() {
    assertThat(names(VisibleDevices.POD, List.of(NVIDIA), variable("0, GPU-1")))
        .containsExactly("nvidia.com/gpu=0", "nvidia.com/gpu=GPU-1");
    assertThat(names(VisibleDevices.POD, List.of(NVIDIA), variable("void"))).isEmpty();
    assertThat(names(VisibleDevices.POD, List.of(), variable("all"))).isEmpty();
    assertThat(names(VisibleDevices.NEVER, List.of(NVIDIA), variable("all"))).isEmpty();
  }

  @Test
  void variableIsNotReadWhereDevicesAreNamed() {
    ContainerConfig config =
        config(
            List.of("k8s.device-plugin.nvidia.com/gpu=GPU-1"),
            Map.of(),
            List.of(EnvVar.of("NVIDIA_VISIBLE_DEVICES", "GPU-1")));
    assertThat(names(VisibleDevices.POD, List.of(NVIDIA), config))
        .containsExactly("k8s.device-plugin.nvidia.com/gpu=GPU-1");
  }
}
