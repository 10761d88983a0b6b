package io.jrt.core.life;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrt.core.ContainerConfig;
import io.jrt.core.Deadline;
import io.jrt.core.DeviceConfig;
import io.jrt.core.EnvVar;
import io.jrt.core.IdMapping;
import io.jrt.core.NamespaceMode;
import io.jrt.core.PodConfig;
import io.jrt.core.UserNamespaceConfig;
import io.jrt.core.device.DeviceSettings.VisibleDevices;
import io.jrt.linux.Fd;
import io.jrt.linux.FileMode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Who may use the devices of a container: its users, and nobody who was not meant. */
@Timeout(120)
class DeviceOwnersIT {
  private static final Deadline LATER = Deadline.after(Duration.ofMinutes(10));
  private static final String LOOK =
      "stat -c '%n %u:%g %a' /dev/asked /dev/gpu0; for d in asked gpu0; do"
          + " : >> /dev/$d && echo open $d; done";

  private @Nullable DeviceLab devices;

  private DeviceLab open(VisibleDevices visible) throws IOException {
    DeviceLab opened = new DeviceLab(visible, true);
    devices = opened;
    return opened;
  }

  @AfterEach
  void close() throws IOException {
    DeviceLab opened = devices;
    if (opened != null) {
      opened.close();
    }
  }

  private static ContainerConfig with(DeviceLab devices, String name, String script) {
    return Configs.withDevices(
        devices.lab.container(name, script),
        List.of(new DeviceConfig("/dev/asked", devices.node.toString(), "rw")),
        List.of("jrt.io/gpu=0"),
        Map.of());
  }

  @Test
  void devicesBelongToTheUserThatIsNotRoot() throws Exception {
    DeviceLab devices = open(VisibleDevices.NEVER);
    devices.spec("deviceNodes: [{path: /dev/gpu0, hostPath: \"%s\"}]".formatted(devices.node));
    RuntimeLab lab = devices.lab;
    ContainerConfig config = with(devices, "u", LOOK);
    String container =
        lab.start(
            lab.runPod(),
            Configs.with(
                config, Configs.withUser(config.security(), 1000, 1001), Optional.empty()));
    lab.awaitExit(container);
    assertThat(lab.log("u"))
        .containsExactly(
            "/dev/asked 1000:1001 600", "/dev/gpu0 1000:1001 600", "open asked", "open gpu0");
  }

  @Test
  void devicesBelongToTheRootOfAUserNamespace() throws Exception {
    DeviceLab devices = open(VisibleDevices.NEVER);
    devices.spec(
        """
        deviceNodes:
        - {path: /dev/gpu0, hostPath: "%s"}
        - {path: /dev/theirs, type: c, major: 1, minor: 11, uid: 7, gid: 8, fileMode: 416}
        """
            .formatted(devices.node));
    RuntimeLab lab = devices.lab;
    PodConfig plain = lab.pod(NamespaceMode.POD, NamespaceMode.CONTAINER);
    List<IdMapping> ids = List.of(new IdMapping(200_000, 0, 65_536));
    String pod =
        lab.runtime()
            .runPod(
                Configs.withUserNamespace(
                    plain, new UserNamespaceConfig(NamespaceMode.POD, ids, ids)),
                "",
                LATER);
    String container =
        lab.start(
            pod,
            with(
                devices,
                "n",
                LOOK + "; stat -c '%n %u:%g %a' /dev/theirs; cat /proc/self/uid_map"));
    lab.awaitExit(container);
    assertThat(lab.log("n").stream().map(line -> line.strip().replaceAll(" +", " ")))
        .containsExactly(
            "/dev/asked 0:0 600",
            "/dev/gpu0 0:0 600",
            "open asked",
            "open gpu0",
            "/dev/theirs 7:8 640",
            "0 200000 65536");
    lab.runtime().removePod(pod, LATER);
    assertThat(lab.traces()).isEmpty();
  }

  @Test
  void blockDeviceIsReadAndNotWrittenWithoutPermission() throws Exception {
    DeviceLab devices = open(VisibleDevices.NEVER);
    RuntimeLab lab = devices.lab;
    Path disk = lab.directory.resolve("disk");
    byte[] content = new byte[1 << 20];
    byte[] mark = "a disk of the test".getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(mark, 0, content, 0, mark.length);
    Files.write(disk, content);
    String loop = run("losetup", "--find", "--show", disk.toString());
    try {
      ContainerConfig config =
          Configs.withDevices(
              lab.container(
                  "b",
                  "head -c 18 /dev/disk; echo; echo no | dd of=/dev/disk 2>/dev/null || echo"
                      + " refused; stat -c %F /dev/disk"),
              List.of(new DeviceConfig("/dev/disk", loop, "r")),
              List.of(),
              Map.of());
      lab.awaitExit(lab.start(lab.runPod(), config));
      assertThat(lab.log("b"))
          .containsExactly("a disk of the test", "refused", "block special file");
    } finally {
      run("losetup", "--detach", loop);
    }
  }

  private static String run(String... command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    assertThat(process.waitFor()).as(said).isZero();
    return said;
  }

  /** A driver tree with one GPU, whose device is the harmless one. */
  private static void fakeGpu(DeviceLab devices) throws IOException {
    Path root = devices.directory;
    Path information = root.resolve("proc/driver/nvidia/gpus/0000:65:00.0/information");
    Files.createDirectories(information.getParent());
    Files.writeString(
        information, "Model: \t Test\nGPU UUID: \t GPU-1234-5678\nDevice Minor: \t 0\n");
    Path dev = Files.createDirectories(root.resolve("dev"));
    devices
        .lab
        .kernel
        .files()
        .mknodat(
            Fd.CWD, dev.resolve("nvidia0").toString(), FileMode.S_IFCHR | 0666, DeviceLab.NUMBER);
  }

  private static ContainerConfig visible(DeviceLab devices, String name, String value) {
    return Configs.withEnvironment(
        devices.lab.container(
            name,
            "echo $NVIDIA_VISIBLE_DEVICES; test -c /dev/nvidia0 && : >> /dev/nvidia0 && echo open"),
        List.of(EnvVar.of("NVIDIA_VISIBLE_DEVICES", value)));
  }

  @Test
  void variableOfTheRequestAsksForGpus() throws Exception {
    DeviceLab devices = open(VisibleDevices.POD);
    RuntimeLab lab = devices.lab;
    String pod = lab.runPod();
    // There is no GPU: the variable speaks to nobody.
    lab.awaitExit(lab.start(pod, visible(devices, "none", "all")));
    assertThat(lab.log("none")).contains("all").doesNotContain("open");

    fakeGpu(devices);
    lab.awaitExit(lab.start(pod, visible(devices, "some", "GPU-1234-5678")));
    assertThat(lab.log("some")).containsExactly("void", "open");
    lab.awaitExit(lab.start(pod, visible(devices, "void", "void")));
    assertThat(lab.log("void")).contains("void").doesNotContain("open");
    ContainerConfig lasting =
        Configs.withDevices(
            lab.container("lasting", "sleep 600"),
            List.of(),
            List.of("nvidia.com/gpu=0"),
            Map.of());
    String holder = lab.start(pod, lasting);
    lab.restart();
    assertThat(lab.runtime().gpus()).hasSize(1);
    assertThat(lab.runtime().gpus().getFirst().containerIds()).containsExactly(holder);
    assertThatThrownBy(() -> lab.start(pod, visible(devices, "more", "0,7")))
        .hasMessageContaining("nvidia.com/gpu=7");
  }

  @Test
  void variableIsNothingWhereTheConfigurationSaysSo() throws Exception {
    DeviceLab devices = open(VisibleDevices.NEVER);
    fakeGpu(devices);
    RuntimeLab lab = devices.lab;
    lab.awaitExit(lab.start(lab.runPod(), visible(devices, "never", "all")));
    assertThat(lab.log("never")).contains("all").doesNotContain("open");
  }
}
