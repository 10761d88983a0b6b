package io.jrt.core.life;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrt.core.ContainerConfig;
import io.jrt.core.Deadline;
import io.jrt.core.DeviceConfig;
import io.jrt.core.LinuxResources;
import io.jrt.core.cgroup.Cgroup;
import io.jrt.core.cgroup.CgroupManager;
import io.jrt.core.device.DeviceSettings;
import io.jrt.linux.Fd;
import io.jrt.linux.FileMode;
import io.jrt.security.DeviceRule;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Devices of CRI and of CDI specs, tried inside containers under the machine's own controller. */
@Timeout(120)
class DevicesIT {
  private static final Deadline LATER = Deadline.after(Duration.ofMinutes(10));

  private static final String OPEN = ": >> /dev/gpu0 && echo open";

  private DeviceLab devices;
  private RuntimeLab lab;

  @BeforeEach
  void open() throws IOException {
    devices = new DeviceLab(DeviceSettings.DEFAULT.visibleDevices(), false);
    lab = devices.lab;
  }

  @AfterEach
  void close() throws IOException {
    devices.close();
  }

  private static LinuxResources memory(long limit) {
    return new LinuxResources(0, 0, 0, limit, 0, 0, "", "", List.of(), Map.of());
  }

  @Test
  void deviceOfASpecIsUsableAndNoOtherIs() throws Exception {
    devices.spec(
        """
        env: [GPU=zero]
        additionalGids: [4711]
        deviceNodes:
        - {path: /dev/gpu0, hostPath: "%s", permissions: rw}
        mounts:
        - {hostPath: "%s", containerPath: /opt/driver, options: [ro, nosuid, rbind]}
        """
            .formatted(devices.node, devices.directory));
    String pod = lab.runPod();
    String container =
        lab.start(
            pod,
            devices.container(
                "with",
                "echo $GPU; id; : >> /dev/gpu0 && echo open; ls /opt/driver;"
                    + " touch /opt/driver/x 2>/dev/null || echo closed;"
                    + " mknod /dev/other c 1 1; cat /dev/other; mknod /dev/again c 1 11"
                    + " && echo made"));
    lab.awaitExit(container);
    assertThat(lab.log("with"))
        .contains("zero", "open", "cdi", "closed", "made")
        .anyMatch(line -> line.contains("4711"))
        .anyMatch(line -> line.contains("/dev/other") && line.contains("not permitted"));

    ContainerConfig plain =
        lab.container("without", "mknod /dev/gpu0 c 1 11; : >> /dev/gpu0 && echo open");
    lab.awaitExit(lab.start(pod, plain));
    assertThat(lab.log("without")).doesNotContain("open");
  }

  @Test
  void deviceSurvivesLiveUpdatesAndARestartOfTheDaemon() throws Exception {
    devices.spec("deviceNodes: [{path: /dev/gpu0, hostPath: \"%s\"}]".formatted(devices.node));
    String pod = lab.runPod();
    String container = lab.start(pod, devices.container("c", "sleep 600"));
    assertThat(lab.exec(container, "sh", "-c", OPEN)).isEqualTo("open\n");
    lab.runtime().updateContainer(container, memory(200L << 20), Map.of());
    assertThat(lab.exec(container, "sh", "-c", OPEN)).isEqualTo("open\n");
    lab.restart();
    assertThat(lab.exec(container, "sh", "-c", OPEN)).isEqualTo("open\n");
    lab.runtime().updateContainer(container, memory(150L << 20), Map.of());
    assertThat(lab.exec(container, "sh", "-c", OPEN)).isEqualTo("open\n");
  }

  @Test
  void rulesThatSomebodyElseChangesAreBackWithAnUpdateAndARestart() throws Exception {
    devices.spec("deviceNodes: [{path: /dev/gpu0, hostPath: \"%s\"}]".formatted(devices.node));
    String container = lab.start(lab.runPod(), devices.container("c", "sleep 600"));
    assertThat(lab.exec(container, "sh", "-c", OPEN)).isEqualTo("open\n");

    takeAway(container);
    assertThat(lab.exec(container, "sh", "-c", OPEN)).doesNotContain("open\n");
    lab.runtime().updateContainer(container, memory(200L << 20), Map.of());
    assertThat(lab.exec(container, "sh", "-c", OPEN)).isEqualTo("open\n");

    takeAway(container);
    assertThat(lab.exec(container, "sh", "-c", OPEN)).doesNotContain("open\n");
    lab.restart();
    assertThat(lab.exec(container, "sh", "-c", OPEN)).isEqualTo("open\n");

    // Nor does what somebody else allows stay.
    anotherManager(container).devices(rule(true, 'a', DeviceRule.ANY, DeviceRule.ANY));
    String other = "test -e /dev/m || mknod /dev/m c 10 237; (: < /dev/m) && echo open";
    assertThat(lab.exec(container, "sh", "-c", other)).isEqualTo("open\n");
    lab.restart();
    assertThat(lab.exec(container, "sh", "-c", other)).doesNotContain("open\n");
    assertThat(lab.exec(container, "sh", "-c", OPEN)).isEqualTo("open\n");
  }

  @Test
  void rulesThatSomebodyElseChangesAreBackSoon() throws Exception {
    devices.close();
    devices = new DeviceLab(DeviceSettings.DEFAULT.visibleDevices(), false, Duration.ofMillis(200));
    lab = devices.lab;
    devices.spec("deviceNodes: [{path: /dev/gpu0, hostPath: \"%s\"}]".formatted(devices.node));
    String container = lab.start(lab.runPod(), devices.container("c", "sleep 600"));
    takeAway(container);
    long until = System.nanoTime() + RuntimeLab.SOON.toNanos();
    String said = "";
    while (!said.equals("open\n") && System.nanoTime() < until) {
      Thread.sleep(100);
      said = lab.exec(container, "sh", "-c", OPEN);
    }
    assertThat(said).isEqualTo("open\n");
  }

  private static List<DeviceRule> rule(boolean allow, char type, long major, long minor) {
    return List.of(new DeviceRule(allow, type, major, minor, "rwm"));
  }

  private void takeAway(String container) {
    List<DeviceRule> rules = new ArrayList<>(rule(false, 'a', DeviceRule.ANY, DeviceRule.ANY));
    rules.addAll(rule(true, 'c', 1, 3));
    anotherManager(container).devices(rules);
  }

  /** As a service manager that writes rules of its own. */
  private Cgroup anotherManager(String container) {
    String path = lab.runtime().containerStatus(container).cgroupPath();
    return CgroupManager.detect(lab.kernel).find(path).orElseThrow();
  }

  @Test
  void directoryOfDevicesAndPermissionsOfARequest() throws Exception {
    Path more = Files.createDirectory(lab.directory.resolve("more"));
    lab.kernel
        .files()
        .mknodat(Fd.CWD, more.resolve("a").toString(), FileMode.S_IFCHR | 0644, DeviceLab.NUMBER);
    ContainerConfig config =
        Configs.withDevices(
            lab.container(
                "d",
                "ls -ln /dev/all/a; : >> /dev/all/a && echo open;"
                    + " ls -ln /dev/disk; (exec 3< /dev/all/a) || echo unreadable"),
            List.of(new DeviceConfig("/dev/all", more.toString(), "w")),
            List.of(),
            Map.of());
    lab.awaitExit(lab.start(lab.runPod(), config));
    assertThat(lab.log("d"))
        .contains("open", "unreadable")
        .anyMatch(line -> line.startsWith("crw-r--r--"));
  }

  @Test
  void unknownDeviceIsRefusedAtCreation() throws Exception {
    String pod = lab.runPod();
    ContainerConfig config = devices.container("u", "true");
    assertThatThrownBy(() -> lab.runtime().createContainer(pod, config, LATER))
        .hasMessageContaining("unresolvable cdi devices jrt.io/gpu=0");
    devices.spec("hooks: [{hookName: createRuntime, path: /bin/there-is-none}]");
    assertThatThrownBy(() -> lab.runtime().createContainer(pod, config, LATER))
        .hasMessageContaining("jrt.io/gpu=0")
        .hasMessageContaining("createRuntime hook /bin/there-is-none")
        .hasMessageContaining("test.yaml");
  }

  @Test
  void librariesAreFoundWithoutLdconfig() throws Exception {
    Path library = lab.directory.resolve("libjrttest.so.7.1");
    Files.copy(DeviceLibraries.libc(), library);
    devices.spec(
        """
        mounts: [{hostPath: "%s", containerPath: /usr/lib/jrt/libjrttest.so.7.1, options: [ro]}]
        hooks:
        - hookName: createContainer
          path: /usr/bin/nvidia-cdi-hook
          args: [nvidia-cdi-hook, create-symlinks, --link, "libjrttest.so.7.1::/usr/lib/jrt/libjrttest.so"]
        - hookName: createContainer
          path: /usr/bin/nvidia-cdi-hook
          args: [nvidia-cdi-hook, update-ldcache, --folder, /usr/lib/jrt]
        """
            .formatted(library));
    String container =
        lab.start(
            lab.runPod(),
            devices.container(
                "l",
                "for name in libc.so.6 /usr/lib/jrt/libjrttest.so.7.1; do"
                    + " grep -q $name /etc/ld.so.cache && echo knows $name; done;"
                    + " readlink /usr/lib/jrt/*.so"));
    lab.awaitExit(container);
    assertThat(lab.log("l"))
        .containsExactly(
            "knows libc.so.6", "knows /usr/lib/jrt/libjrttest.so.7.1", "libjrttest.so.7.1");
  }
}
