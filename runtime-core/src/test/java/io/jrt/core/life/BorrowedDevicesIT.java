package io.jrt.core.life;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrt.core.ContainerConfig;
import io.jrt.core.ContainerState;
import io.jrt.core.Deadline;
import io.jrt.core.NamespaceMode;
import io.jrt.core.device.DeviceSettings;
import io.jrt.linux.netlink.RouteNetlink;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a container takes of the node for itself, and what the node has again afterwards. */
@Timeout(120)
class BorrowedDevicesIT {
  private static final Deadline LATER = Deadline.after(Duration.ofMinutes(10));

  /** An interface that leads nowhere. */
  private final String link = "jrtt" + ProcessHandle.current().pid();

  private DeviceLab devices;
  private RuntimeLab lab;

  @BeforeEach
  void open() throws Exception {
    devices = new DeviceLab(DeviceSettings.DEFAULT.visibleDevices(), false);
    lab = devices.lab;
    ip("link", "add", link, "type", "veth", "peer", "name", link + "p");
    ip("address", "add", "192.0.2.7/24", "dev", link);
    ip("link", "set", link, "up");
    devices.spec("1.1.0", "netDevices: [{hostInterfaceName: %s, name: net7}]".formatted(link));
  }

  @AfterEach
  void close() throws Exception {
    devices.close();
    if (onNode().isPresent()) {
      ip("link", "delete", link);
    }
  }

  private static void ip(String... words) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("ip"));
    command.addAll(List.of(words));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(said).isZero();
  }

  private Optional<RouteNetlink.Link> onNode() {
    try (RouteNetlink netlink = RouteNetlink.open(lab.kernel)) {
      return netlink.link(link);
    }
  }

  private void isBack() throws InterruptedException {
    // The state is told before all that the container had is given back.
    long until = System.nanoTime() + RuntimeLab.SOON.toNanos();
    while (!hasAddress() && System.nanoTime() < until) {
      Thread.sleep(10);
    }
    assertThat(hasAddress()).isTrue();
  }

  private boolean hasAddress() {
    int index = onNode().map(RouteNetlink.Link::index).orElse(0);
    try (RouteNetlink netlink = RouteNetlink.open(lab.kernel)) {
      return netlink.addresses().stream()
          .filter(each -> each.link() == index)
          .anyMatch(each -> each.address().getHostAddress().equals("192.0.2.7"));
    }
  }

  @Test
  void networkDeviceIsInThePodWithItsAddressAndThenBackOnTheNode() throws Exception {
    String pod = lab.runPod();
    String container = lab.start(pod, devices.container("n", "ip address show net7; sleep 1000"));
    assertThat(onNode()).isEmpty();
    ContainerConfig again = devices.container("again", "true");
    assertThatThrownBy(() -> lab.start(pod, again))
        .hasMessageContaining("net7")
        .hasMessageContaining("jrt.io/gpu=0")
        .hasMessageContaining("test.yaml");
    lab.runtime().stopContainer(container, Duration.ZERO, LATER);
    assertThat(String.join(" ", lab.log("n"))).contains("192.0.2.7/24", "UP");
    isBack();
    // And another container may have it.
    String next = lab.start(pod, devices.container("next", "ip address show net7"));
    lab.awaitExit(next);
    assertThat(String.join(" ", lab.log("next"))).contains("192.0.2.7/24");
    isBack();
    lab.runtime().removePod(pod, LATER);
    assertThat(lab.traces()).isEmpty();
  }

  @Test
  void networkDeviceComesBackThroughADaemonThatDidNotTakeIt() throws Exception {
    String pod = lab.runPod();
    String container = lab.start(pod, devices.container("n", "sleep 600"));
    lab.restart();
    lab.runtime().stopContainer(container, Duration.ZERO, LATER);
    isBack();
  }

  @Test
  void networkDeviceIsNotForAPodWithTheNodesNetwork() throws Exception {
    String pod =
        lab.runtime().runPod(lab.pod(NamespaceMode.NODE, NamespaceMode.CONTAINER), "", LATER);
    ContainerConfig config = devices.container("n", "true");
    assertThatThrownBy(() -> lab.start(pod, config))
        .hasMessageContaining("the pod has the node's network");
    assertThat(onNode()).isPresent();
  }

  @Test
  void classOfCacheIsEnteredBeforeTheProgramRuns() throws Exception {
    devices.spec(
        "1.1.0", "intelRdt: {closID: shared, schemata: [\"L3:0=f\"], enableMonitoring: true}");
    String pod = lab.runPod();
    ContainerConfig config = devices.container("r", "sleep 600");
    assertThatThrownBy(() -> lab.start(pod, config))
        .hasMessageContaining("no resctrl is mounted")
        .hasMessageContaining("test.yaml");

    Path root = devices.directory.resolve("sys/fs/resctrl");
    Path group = root.resolve("shared");
    Files.createDirectories(group.resolve("mon_groups"));
    Files.writeString(root.resolve("schemata"), "L3:0=ff\n");
    Files.writeString(group.resolve("schemata"), "    L3:0=f0\n");
    assertThatThrownBy(() -> lab.start(pod, devices.container("other", "true")))
        .hasMessageContaining("L3:0=f")
        .hasMessageContaining("L3:0=f0");

    Files.writeString(group.resolve("schemata"), "    L3:0=f\n");
    String container = lab.start(pod, devices.container("with", "sleep 600"));
    String pid =
        Integer.toString(
            ((ContainerState.Running) lab.runtime().containerStatus(container).state()).pid());
    assertThat(group.resolve("tasks")).hasContent(pid);
    Path monitor = group.resolve("mon_groups").resolve(container);
    assertThat(monitor.resolve("tasks")).hasContent(pid);
    Files.delete(monitor.resolve("tasks")); // resctrl lets its files go with the directory
    lab.runtime().stopContainer(container, Duration.ZERO, LATER);
    lab.runtime().removePod(pod, LATER);
    assertThat(monitor).doesNotExist();
    assertThat(group).exists();
  }
}
