package io.jrt.core.life;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrt.core.ContainerConfig;
import io.jrt.core.Deadline;
import io.jrt.core.DeviceConfig;
import io.jrt.core.LinuxResources;
import io.jrt.core.device.DeviceSettings;
import io.jrt.core.op.FailPoints;
import io.jrt.errors.JrtException;
import io.jrt.linux.DeviceNumber;
import io.jrt.linux.Fd;
import io.jrt.linux.FileMode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Devices of CRI and of CDI specs, tried inside containers under the machine's own controller. */
@Timeout(120)
class DevicesIT {
  private static final Deadline LATER = Deadline.after(Duration.ofMinutes(10));

  /** /dev/kmsg: not among the devices every container may use, and harmless to open. */
  private static final long DEVICE = DeviceNumber.of(1, 11);

  private RuntimeLab lab;
  @TempDir Path directory;
  private Path node;

  @BeforeEach
  void open() throws IOException {
    lab = new RuntimeLab(Files.createTempDirectory("jrt-core"), FailPoints.none(), false);
    DeviceSettings settings =
        new DeviceSettings(
            List.of(Files.createDirectory(directory.resolve("cdi"))),
            directory,
            false,
            false,
            false);
    lab.configure(CoreConfig.DEFAULT.withDevices(settings));
    lab.open();
    node = lab.directory.resolve("gpu0");
    lab.kernel.files().mknodat(Fd.CWD, node.toString(), FileMode.S_IFCHR | 0600, DEVICE);
  }

  @AfterEach
  void close() throws IOException {
    lab.close();
  }

  private void spec(String edits) throws IOException {
    Files.writeString(
        directory.resolve("cdi/test.yaml"),
        """
        cdiVersion: 0.7.0
        kind: jrt.io/gpu
        devices:
        - name: "0"
          containerEdits:
        """
            + edits.indent(4));
  }

  private static LinuxResources memory(long limit) {
    return new LinuxResources(0, 0, 0, limit, 0, 0, "", "", List.of(), Map.of());
  }

  private ContainerConfig container(String name, String script) {
    return Configs.withDevices(
        lab.container(name, script), List.of(), List.of("jrt.io/gpu=0"), Map.of());
  }

  @Test
  void deviceOfASpecIsUsableAndNoOtherIs() throws Exception {
    spec(
        """
        env: [GPU=zero]
        additionalGids: [4711]
        deviceNodes:
        - {path: /dev/gpu0, hostPath: "%s", permissions: rw}
        mounts:
        - {hostPath: "%s", containerPath: /opt/driver, options: [ro, nosuid, rbind]}
        """
            .formatted(node, directory));
    String pod = lab.runPod();
    String container =
        lab.start(
            pod,
            container(
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
    spec("deviceNodes: [{path: /dev/gpu0, hostPath: \"%s\"}]".formatted(node));
    String pod = lab.runPod();
    String container = lab.start(pod, container("c", "sleep 600"));
    String attempt = ": >> /dev/gpu0 && echo open";
    assertThat(lab.exec(container, "sh", "-c", attempt)).isEqualTo("open\n");
    lab.runtime().updateContainer(container, memory(200L << 20), Map.of());
    assertThat(lab.exec(container, "sh", "-c", attempt)).isEqualTo("open\n");
    lab.restart();
    assertThat(lab.exec(container, "sh", "-c", attempt)).isEqualTo("open\n");
    lab.runtime().updateContainer(container, memory(150L << 20), Map.of());
    assertThat(lab.exec(container, "sh", "-c", attempt)).isEqualTo("open\n");
  }

  @Test
  void directoryOfDevicesAndPermissionsOfARequest() throws Exception {
    Path more = Files.createDirectory(lab.directory.resolve("more"));
    lab.kernel
        .files()
        .mknodat(Fd.CWD, more.resolve("a").toString(), FileMode.S_IFCHR | 0644, DEVICE);
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
  void hooksSeeTheContainerBeforeItsRootIsChanged() throws Exception {
    Path seen = directory.resolve("seen");
    Files.createDirectory(seen);
    Path hook = directory.resolve("hook");
    Files.writeString(
        hook,
        """
        #!/bin/sh
        cat > "$SEEN/$1"
        echo "$2" > "$SEEN/$1.argument"
        ls rootfs /proc/self/cwd/rootfs > "$SEEN/$1.files" 2>&1
        bundle=$(sed -n 's/.*"bundle":"\\([^"]*\\)".*/\\1/p' "$SEEN/$1")
        root=$(sed -n 's/.*"root":{"path":"\\([^"]*\\)".*/\\1/p' "$bundle/config.json")
        if [ "$1" = createContainer ]; then echo hooked > "$root/from-hook"; fi
        """);
    Files.setPosixFilePermissions(hook, PosixFilePermissions.fromString("rwxr-xr-x"));
    StringBuilder hooks = new StringBuilder("hooks:\n");
    for (String moment : List.of("createRuntime", "createContainer", "poststart", "poststop")) {
      hooks.append(
          "- {hookName: %s, path: \"%s\", args: [hook, %s, \"an argument\"], env: [\"SEEN=%s\",%s]}\n"
              .formatted(moment, hook, moment, seen, "\"PATH=/usr/bin:/bin\""));
    }
    spec(hooks.toString());
    String pod = lab.runPod();
    String container = lab.start(pod, container("h", "cat /from-hook; ls /.. "));
    lab.awaitExit(container);
    assertThat(lab.log("h")).contains("hooked");
    assertThat(seen.resolve("createRuntime"))
        .content()
        .contains("\"status\":\"creating\"", "\"id\":\"" + container + "\"", "\"pid\":");
    assertThat(seen.resolve("createContainer.argument")).hasContent("an argument\n");
    assertThat(seen.resolve("poststart")).content().contains("\"status\":\"running\"");
    awaitFile(seen.resolve("poststop"));
    assertThat(seen.resolve("poststop")).content().contains("\"status\":\"stopped\"");
    lab.runtime().removePod(pod, LATER);
    assertThat(lab.traces()).isEmpty();
  }

  @Test
  void failingHookEndsTheStartAndLeavesNothing() throws Exception {
    spec("hooks: [{hookName: createContainer, path: /bin/false, args: [\"false\"]}]");
    String pod = lab.runPod();
    ContainerConfig config = container("f", "echo never");
    assertThatThrownBy(() -> lab.start(pod, config))
        .isInstanceOf(JrtException.class)
        .hasMessageContaining("createContainer hook /bin/false")
        .hasMessageContaining("failed with 1")
        .hasMessageContaining("test.yaml");
    assertThat(lab.log("f")).isEmpty();
    lab.runtime().removePod(pod, LATER);
    assertThat(lab.traces()).isEmpty();
  }

  @Test
  void unknownDeviceIsRefusedAtCreation() throws Exception {
    String pod = lab.runPod();
    ContainerConfig config = container("u", "true");
    assertThatThrownBy(() -> lab.runtime().createContainer(pod, config, LATER))
        .hasMessageContaining("unresolvable cdi devices jrt.io/gpu=0");
    spec("hooks: [{hookName: startContainer, path: /bin/true}]");
    assertThatThrownBy(() -> lab.runtime().createContainer(pod, config, LATER))
        .hasMessageContaining("startContainer hook /bin/true")
        .hasMessageContaining("test.yaml");
  }

  @Test
  void librariesAreFoundWithoutLdconfig() throws Exception {
    Path library = lab.directory.resolve("libjrttest.so.7.1");
    Files.copy(DeviceLibraries.libc(), library);
    spec(
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
            container(
                "l",
                "for name in libc.so.6 /usr/lib/jrt/libjrttest.so.7.1; do"
                    + " grep -q $name /etc/ld.so.cache && echo knows $name; done;"
                    + " readlink /usr/lib/jrt/*.so"));
    lab.awaitExit(container);
    assertThat(lab.log("l"))
        .containsExactly(
            "knows libc.so.6", "knows /usr/lib/jrt/libjrttest.so.7.1", "libjrttest.so.7.1");
  }

  private static void awaitFile(Path file) throws InterruptedException {
    long until = System.nanoTime() + RuntimeLab.SOON.toNanos();
    while (!Files.exists(file) && System.nanoTime() < until) {
      Thread.sleep(10);
    }
  }
}
