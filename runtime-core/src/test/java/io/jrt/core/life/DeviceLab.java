package io.jrt.core.life;

import io.jrt.core.ContainerConfig;
import io.jrt.core.TestHome;
import io.jrt.core.device.DeviceSettings;
import io.jrt.core.device.DeviceSettings.VisibleDevices;
import io.jrt.linux.DeviceNumber;
import io.jrt.linux.FailPoints;
import io.jrt.linux.Fd;
import io.jrt.linux.FileMode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** A runtime whose CDI specs lie in a directory of the test, and a device that is harmless. */
final class DeviceLab implements AutoCloseable {
  /** /dev/kmsg: not among the devices every container may use, and harmless to open. */
  static final long NUMBER = DeviceNumber.of(1, 11);

  /** Rules are not looked at of their own. */
  static final Duration NEVER = Duration.ofDays(1);

  final RuntimeLab lab;
  final Path directory;

  /** A device file of the node that only root may open. */
  final Path node;

  DeviceLab(VisibleDevices visible, boolean ownedByUser) throws IOException {
    this(visible, ownedByUser, NEVER);
  }

  DeviceLab(VisibleDevices visible, boolean ownedByUser, Duration checkInterval)
      throws IOException {
    lab = new RuntimeLab(TestHome.make("core"), FailPoints.none(), false);
    directory = lab.directory.resolve("node");
    Path specs = Files.createDirectories(directory.resolve("cdi"));
    lab.configure(
        CoreConfig.DEFAULT.withDevices(
            new DeviceSettings(
                List.of(specs), directory, true, visible, ownedByUser, checkInterval)));
    lab.open();
    node = lab.directory.resolve("gpu0");
    lab.kernel.files().mknodat(Fd.CWD, node.toString(), FileMode.S_IFCHR | 0600, NUMBER);
  }

  /** Writes the spec of device jrt.io/gpu=0, in YAML. */
  void spec(String edits) throws IOException {
    spec("0.7.0", edits);
  }

  void spec(String version, String edits) throws IOException {
    Files.writeString(
        directory.resolve("cdi/test.yaml"),
        """
        cdiVersion: %s
        kind: jrt.io/gpu
        devices:
        - name: "0"
          containerEdits:
        """
                .formatted(version)
            + edits.indent(4));
  }

  /** A container with that device. */
  ContainerConfig container(String name, String script) {
    return Configs.withDevices(
        lab.container(name, script), List.of(), List.of("jrt.io/gpu=0"), Map.of());
  }

  @Override
  public void close() throws IOException {
    lab.close();
  }
}
