package io.jrt.core.life;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrt.core.ContainerConfig;
import io.jrt.core.Deadline;
import io.jrt.core.DeviceConfig;
import io.jrt.core.IdMapping;
import io.jrt.core.MountConfig;
import io.jrt.core.MountPropagation;
import io.jrt.core.NamespaceMode;
import io.jrt.core.PodConfig;
import io.jrt.core.UserNamespaceConfig;
import io.jrt.errors.JrtException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Pods with a user namespace of their own, from their request to what their processes can do. */
class UserNamespaceIT {
  private static final List<IdMapping> IDS = List.of(new IdMapping(300_000, 0, 65_536));
  private RuntimeLab lab;

  @BeforeEach
  void open() throws Exception {
    lab = new RuntimeLab();
  }

  @AfterEach
  void close() throws Exception {
    lab.close();
  }

  private static Deadline later() {
    return Deadline.after(RuntimeLab.SOON.multipliedBy(3));
  }

  private String pod(List<IdMapping> ids, Map<String, String> sysctls) {
    PodConfig plain =
        Configs.withUserNamespace(
            lab.pod(NamespaceMode.POD, NamespaceMode.CONTAINER),
            new UserNamespaceConfig(NamespaceMode.POD, ids, ids));
    PodConfig config =
        new PodConfig(
            plain.metadata(),
            plain.hostname(),
            plain.logDirectory(),
            plain.dns(),
            plain.portMappings(),
            plain.labels(),
            plain.annotations(),
            plain.cgroupParent(),
            plain.security(),
            sysctls,
            Optional.empty(),
            Optional.empty());
    return lab.runtime().runPod(config, "", later());
  }

  @Test
  void volumesShowTheContainersIdsAndKeepTheNodes() throws Exception {
    Path volume = Files.createDirectory(lab.directory.resolve("volume"));
    Files.writeString(volume.resolve("roots"), "x");
    Files.writeString(volume.resolve("theirs"), "x");
    Files.setAttribute(volume.resolve("theirs"), "unix:uid", 1000);
    MountConfig mapped =
        new MountConfig(
            "/volume",
            volume.toString(),
            false,
            false,
            false,
            MountPropagation.PRIVATE,
            IDS,
            IDS,
            Optional.empty(),
            "",
            List.of());
    ContainerConfig config =
        lab.container("c", "stat -c %u /volume/roots /volume/theirs; touch /volume/made; echo $?")
            .withMounts(List.of(mapped));
    String container = lab.start(pod(IDS, Map.of()), config);
    lab.awaitExit(container);
    assertThat(lab.log("c")).containsExactly("0", "1000", "0");
    assertThat(Files.getAttribute(volume.resolve("made"), "unix:uid")).isEqualTo(0);
  }

  @Test
  void namespacesOfThePodAreItsUserNamespaces() throws Exception {
    // What may set an interface up is in a network namespace that its user namespace owns.
    ContainerConfig plain =
        lab.container(
            "c",
            "cat /proc/sys/kernel/shm_rmid_forced /proc/sys/net/ipv4/ip_unprivileged_port_start;"
                + " busybox ip link set lo up; echo up $?;"
                + " busybox ping -c 1 -W 5 127.0.0.1 >/dev/null; echo ping $?;"
                + " busybox hostname other 2>/dev/null; echo hostname $?;"
                + " echo x >/dev/null; echo null $?;"
                + " busybox head -c 4 /dev/urandom | wc -c;"
                + " busybox mknod /tmp/d c 1 3 2>/dev/null; echo mknod $?;"
                + " busybox stat -c %u /proc/1 /sys /dev/null");
    String container =
        lab.start(
            pod(
                IDS,
                Map.of("kernel.shm_rmid_forced", "1", "net.ipv4.ip_unprivileged_port_start", "80")),
            Configs.with(
                plain, Configs.withCapabilities(plain.security(), "NET_ADMIN"), Optional.empty()));
    lab.awaitExit(container);
    assertThat(lab.log("c"))
        .containsExactly(
            "1",
            "80",
            "up 0",
            "ping 0",
            "hostname 1",
            "null 0",
            "4",
            "mknod 1",
            "0",
            "65534",
            "65534");
  }

  @Test
  void devicesThatAreAskedForCanBeUsed() throws Exception {
    ContainerConfig plain = lab.container("c", "echo x >/dev/mine; echo $?");
    ContainerConfig config =
        Configs.withDevices(
            plain, List.of(new DeviceConfig("/dev/mine", "/dev/null", "rw")), List.of(), Map.of());
    String container = lab.start(pod(IDS, Map.of()), config);
    lab.awaitExit(container);
    assertThat(lab.log("c")).containsExactly("0");
  }

  @Test
  void commandsRunWithTheNamespacesIds() throws Exception {
    String container = lab.start(pod(IDS, Map.of()), lab.container("c", "sleep 1000"));
    assertThat(
            lab.exec(container, "sh", "-c", "id -u; cat /proc/self/uid_map").replaceAll(" +", " "))
        .isEqualTo("0\n 0 300000 65536\n");
    lab.restart();
    assertThat(lab.exec(container, "id", "-u")).isEqualTo("0\n");
  }

  @Test
  void mapsThatOverlapOrReachTheNodesRootAreRefused() {
    for (List<IdMapping> ids :
        List.of(
            List.<IdMapping>of(),
            List.of(new IdMapping(300_000, 0, 10), new IdMapping(300_005, 10, 10)),
            List.of(new IdMapping(300_000, 0, 10), new IdMapping(400_000, 5, 10)),
            List.of(new IdMapping(300_000, 0, 0)))) {
      assertThatThrownBy(() -> pod(ids, Map.of()))
          .as(ids.toString())
          .isInstanceOf(JrtException.class);
    }
    assertThat(lab.runtime().pods(io.jrt.core.PodFilter.ALL)).isEmpty();
  }
}
