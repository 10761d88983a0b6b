package io.jrt.core.life;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrt.core.ContainerConfig;
import io.jrt.core.Deadline;
import io.jrt.core.device.DeviceSettings;
import io.jrt.errors.JrtException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Hooks of CDI devices: programs that record what they saw. */
@Timeout(120)
class DeviceHooksIT {
  private static final Deadline LATER = Deadline.after(Duration.ofMinutes(10));

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

  @Test
  void hooksSeeTheContainerBeforeItsRootIsChanged() throws Exception {
    Path seen = devices.directory.resolve("seen");
    Files.createDirectory(seen);
    Path hook = devices.directory.resolve("hook");
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
    for (String moment :
        List.of("prestart", "createRuntime", "createContainer", "poststart", "poststop")) {
      hooks.append(
          "- {hookName: %s, path: \"%s\", args: [hook, %s, \"an argument\"], env: [\"SEEN=%s\",%s]}\n"
              .formatted(moment, hook, moment, seen, "\"PATH=/usr/bin:/bin\""));
    }
    devices.spec(hooks.toString());
    String pod = lab.runPod();
    String container = lab.start(pod, devices.container("h", "cat /from-hook; ls /.. "));
    lab.awaitExit(container);
    assertThat(lab.log("h")).contains("hooked");
    assertThat(seen.resolve("prestart")).content().contains("\"status\":\"creating\"");
    assertThat(seen.resolve("createRuntime"))
        .content()
        .contains("\"status\":\"creating\"", "\"id\":\"" + container + "\"", "\"pid\":");
    assertThat(seen.resolve("createContainer.argument")).hasContent("an argument\n");
    assertThat(seen.resolve("poststart")).content().contains("\"status\":\"running\"");
    awaitFile(seen.resolve("poststop.argument")); // all of it was read then
    assertThat(seen.resolve("poststop")).content().contains("\"status\":\"stopped\"");
    lab.runtime().removePod(pod, LATER);
    assertThat(lab.traces()).isEmpty();
  }

  @Test
  void hookOfStartContainerRunsInsideAsItsUserBeforeTheProgram() throws Exception {
    devices.spec(
        """
        mounts: [{hostPath: "%s", containerPath: /hooks, options: [ro]}]
        hooks:
        - hookName: startContainer
          path: /bin/sh
          args: [sh, -c, "echo hook $$ $PPID $WORD; id -u; pwd; cat; echo; echo made > /dev/shm/hooked"]
          env: [WORD=said]
        """
            .formatted(devices.directory));
    ContainerConfig config = devices.container("s", "cat /dev/shm/hooked; echo program $$");
    config =
        Configs.with(config, Configs.withUser(config.security(), 1000, 1000), Optional.empty());
    String container = lab.start(lab.runPod(), config);
    lab.awaitExit(container);
    List<String> log = lab.log("s");
    assertThat(log.getFirst()).matches("hook [0-9]+ 1 said");
    assertThat(log).startsWith(log.getFirst(), "1000", "/").endsWith("made", "program 1");
    assertThat(log.get(3))
        .contains("\"id\":\"" + container + "\"", "\"status\":\"created\"", "\"pid\":1,");
  }

  @Test
  void hookOfStartContainerThatFailsOrHangsEndsTheStart() throws Exception {
    String pod = lab.runPod();
    devices.spec("hooks: [{hookName: startContainer, path: /bin/sh, args: [sh, -c, exit 7]}]");
    ContainerConfig failing = devices.container("f", "echo never");
    assertThatThrownBy(() -> lab.start(pod, failing))
        .isInstanceOf(JrtException.class)
        .hasMessageContaining("startContainer hook /bin/sh")
        .hasMessageContaining("failed with 7")
        .hasMessageContaining("test.yaml");
    devices.spec(
        "hooks: [{hookName: startContainer, path: /bin/sleep, args: [sleep, \"60\"], timeout: 1}]");
    ContainerConfig hanging = devices.container("h", "echo never");
    assertThatThrownBy(() -> lab.start(pod, hanging))
        .hasMessageContaining("did not end within 1 s");
    assertThat(lab.log("f")).isEmpty();
    assertThat(lab.log("h")).isEmpty();
    lab.runtime().removePod(pod, LATER);
    assertThat(lab.traces()).isEmpty();
  }

  @Test
  void failingHookEndsTheStartAndLeavesNothing() throws Exception {
    devices.spec("hooks: [{hookName: createContainer, path: /bin/false, args: [\"false\"]}]");
    String pod = lab.runPod();
    ContainerConfig config = devices.container("f", "echo never");
    assertThatThrownBy(() -> lab.start(pod, config))
        .isInstanceOf(JrtException.class)
        .hasMessageContaining("createContainer hook /bin/false")
        .hasMessageContaining("failed with 1")
        .hasMessageContaining("test.yaml");
    assertThat(lab.log("f")).isEmpty();
    lab.runtime().removePod(pod, LATER);
    assertThat(lab.traces()).isEmpty();
  }

  private static void awaitFile(Path file) throws InterruptedException {
    long until = System.nanoTime() + RuntimeLab.SOON.toNanos();
    while (!Files.exists(file) && System.nanoTime() < until) {
      Thread.sleep(10);
    }
  }
}
