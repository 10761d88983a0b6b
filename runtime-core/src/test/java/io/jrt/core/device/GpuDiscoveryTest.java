package io.jrt.core.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Discovery on trees that look like nodes with a driver. */
class GpuDiscoveryTest {
  @TempDir Path root;

  private void file(String path, String content) throws IOException {
    Path file = root.resolve(path.substring(1));
    Files.createDirectories(file.getParent());
    Files.writeString(file, content);
  }

  private void link(String path, String target) throws IOException {
    Path file = root.resolve(path.substring(1));
    Files.createDirectories(file.getParent());
    Files.createSymbolicLink(file, Path.of(target));
  }

  private void nvidia() throws IOException {
    file(
        "/proc/driver/nvidia/version",
        "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5 22:23:56 UTC"
            + " 2024\n");
    gpu("0000:18:00.0", "GPU-11111111-aaaa-bbbb-cccc-000000000001", 1);
    gpu("0000:3b:00.0", "GPU-22222222-aaaa-bbbb-cccc-000000000002", 0);
    for (String node : List.of("nvidiactl", "nvidia-uvm", "nvidia-uvm-tools")) {
      file("/dev/" + node, "");
    }
    file("/dev/dri/card1", "");
    file("/dev/dri/renderD128", "");
    file("/sys/bus/pci/devices/0000:18:00.0/drm/card1/dev", "226:1");
    file("/sys/bus/pci/devices/0000:18:00.0/drm/renderD128/dev", "226:128");
    String libraries = "/usr/lib/x86_64-linux-gnu/";
    for (String name : List.of("libcuda", "libnvidia-ml")) {
      file(libraries + name + ".so.550.54.15", "");
      link(libraries + name + ".so.1", name + ".so.550.54.15");
      link(libraries + name + ".so", name + ".so.1");
    }
    file(libraries + "libunrelated.so.1", "");
    file(libraries + "vdpau/libvdpau_nvidia.so.550.54.15", "");
    link("/lib", "usr/lib");
    file("/usr/lib/firmware/nvidia/550.54.15/gsp_ga10x.bin", "");
    file("/usr/bin/nvidia-smi", "");
    file("/run/nvidia-persistenced/socket", "");
    file("/usr/share/glvnd/egl_vendor.d/10_nvidia.json", "{}");
    String capabilities = "/proc/driver/nvidia/capabilities/gpu0/mig/gi7/";
    file(capabilities + "access", "DeviceFileMinor: 66\nDeviceFileMode: 292\n");
    file(capabilities + "ci0/access", "DeviceFileMinor: 67\nDeviceFileMode: 292\n");
    file("/dev/nvidia-caps/nvidia-cap66", "");
    file("/dev/nvidia-caps/nvidia-cap67", "");
    file("/dev/nvidia-caps-imex-channels/channel0", "");
  }

  private void gpu(String pci, String uuid, int minor) throws IOException {
    file(
        "/proc/driver/nvidia/gpus/" + pci + "/information",
        """
        Model: \t\t NVIDIA A100-SXM4-40GB
        IRQ:   \t\t 345
        GPU UUID: \t %s
        Bus Location: \t %s
        Device Minor: \t %d
        """
            .formatted(uuid, pci, minor));
    file("/dev/nvidia" + minor, "");
  }

  /** The golden files lie beside the tests' resources; -Dgolden.write=true writes them anew. */
  private void golden(String name) throws IOException {
    StringBuilder text = new StringBuilder();
    for (CdiSpec spec : new GpuDiscovery(root).specs()) {
      String json = CdiWriter.json(spec);
      // What is written is valid against the reader.
      assertThat(CdiSpecReader.parse(spec.origin(), json)).isEqualTo(spec);
      text.append(json.replace(root.toString(), "ROOT"));
    }
    Path file = Path.of("src/test/resources/io/jrt/core/device").resolve(name);
    if (Boolean.getBoolean("golden.write")) {
      Files.writeString(file, text);
    }
    assertThat(text.toString()).isEqualTo(Files.readString(file));
  }

  @Test
  void nvidiaDriverAsACdiSpec() throws IOException {
    nvidia();
    golden("nvidia.json");
  }

  @Test
  void nvidiaGpusInPciOrderWithTheirParts() throws IOException {
    nvidia();
    assertThat(new GpuDiscovery(root).gpus())
        .allSatisfy(gpu -> assertThat(gpu.driver()).isEqualTo("nvidia 550.54.15"))
        .extracting(Gpu::cdiName, Gpu::uuid, Gpu::pciAddress)
        .containsExactly(
            tuple("nvidia.com/gpu=0", "GPU-11111111-aaaa-bbbb-cccc-000000000001", "0000:18:00.0"),
            tuple("nvidia.com/gpu=1", "GPU-22222222-aaaa-bbbb-cccc-000000000002", "0000:3b:00.0"),
            tuple("nvidia.com/gpu=1:0", "", "0000:3b:00.0"));
  }

  @Test
  void amdAndIntelByTheKernelsClass() throws IOException {
    file("/dev/kfd", "");
    card(128, "0000:03:00.0", "0x1002", 0);
    card(129, "0000:00:02.0", "0x8086", 1);
    file("/sys/devices/pci0000:00/0000:03:00.0/mem_info_vram_total", "17163091968\n");
    file("/sys/devices/pci0000:00/0000:03:00.0/gpu_busy_percent", "17\n");
    file("/sys/bus/pci/drivers/amdgpu/bind", "");
    link("/sys/devices/pci0000:00/0000:03:00.0/driver", "../../../bus/pci/drivers/amdgpu");
    golden("drm.json");
    List<Gpu> gpus = new GpuDiscovery(root).gpus();
    assertThat(gpus).hasSize(2);
    assertThat(gpus.getFirst().use().memoryBytes()).isEqualTo(17163091968L);
    assertThat(gpus.getFirst().use().busyPercent()).hasValue(17);
    assertThat(gpus.getFirst().driver()).isEqualTo("amdgpu");
  }

  private void card(int render, String pci, String vendor, int card) throws IOException {
    String device = "/sys/devices/pci0000:00/" + pci;
    file(device + "/vendor", vendor + "\n");
    file(device + "/device", "0x744c\n");
    file(device + "/drm/card" + card + "/dev", "");
    file(device + "/drm/renderD" + render + "/dev", "");
    link(device + "/drm/renderD" + render + "/device", "../..");
    link(
        "/sys/class/drm/renderD" + render,
        "../../devices/pci0000:00/" + pci + "/drm/renderD" + render);
    file("/dev/dri/card" + card, "");
    file("/dev/dri/renderD" + render, "");
  }

  @Test
  void nodeWithoutGpusHasNone() {
    assertThat(new GpuDiscovery(root).specs()).isEmpty();
    assertThat(new GpuDiscovery(root).gpus()).isEmpty();
  }
}
