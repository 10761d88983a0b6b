package io.jrt.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.jrt.cri.v1.ContainerConfig;
import io.jrt.cri.v1.ImageSpec;
import io.jrt.cri.v1.LinuxContainerConfig;
import io.jrt.cri.v1.LinuxContainerSecurityContext;
import io.jrt.cri.v1.LinuxSandboxSecurityContext;
import io.jrt.cri.v1.Mount;
import io.jrt.cri.v1.NamespaceMode;
import io.jrt.cri.v1.NamespaceOption;
import io.jrt.cri.v1.PodSandboxConfig;
import io.jrt.cri.v1.SELinuxOption;
import io.jrt.cri.v1.StatusRequest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * SELinux as the kernel enforces it, with a policy that has container_t and container_file_t. Most
 * machines that build have none, the guest of {@code SECURITY=selinux make test-v2} does.
 */
class SelinuxIT {
  private static final Path ENFORCE = Path.of("/sys/fs/selinux/enforce");
  private static final String DENIED = "Permission denied";

  private static Daemon daemon;
  private static Cri cri;
  private static String image;
  private static int number;
  private PodSandboxConfig podConfig;
  private String pod;
  private Path host;

  @BeforeAll
  static void start() throws Exception {
    assumeTrue(
        Files.isReadable(ENFORCE) && Files.readString(ENFORCE).strip().equals("1"),
        "no SELinux that enforces in this kernel");
    daemon = Daemon.start();
    cri = daemon.cri();
    image = daemon.bundledImage();
  }

  @AfterAll
  static void stop() throws IOException {
    if (daemon != null) {
      daemon.close();
    }
  }

  @BeforeEach
  void pod() throws IOException {
    number++;
    podConfig = podConfig("selinux" + number);
    pod = cri.runPod(podConfig);
    host = Files.createDirectory(daemon.home().resolve("host" + number));
    Files.writeString(host.resolve("file"), "of the node\n");
  }

  private static PodSandboxConfig podConfig(String name) {
    PodSandboxConfig.Builder config =
        Cri.pod(name, NamespaceMode.NODE, daemon.home().resolve("logs"));
    config
        .getLinuxBuilder()
        .setSecurityContext(
            LinuxSandboxSecurityContext.newBuilder()
                .setPrivileged(true)
                .setNamespaceOptions(
                    NamespaceOption.newBuilder()
                        .setNetwork(NamespaceMode.NODE)
                        .setPid(NamespaceMode.CONTAINER)));
    return config.build();
  }

  @AfterEach
  void removePod() {
    cri.removePod(pod);
  }

  private static ContainerConfig.Builder config(
      String name, LinuxContainerSecurityContext.Builder security) {
    return Cri.container(name, image, "sleep", "1000")
        .setLinux(
            LinuxContainerConfig.newBuilder()
                .setSecurityContext(
                    security.setNamespaceOptions(
                        NamespaceOption.newBuilder()
                            .setNetwork(NamespaceMode.NODE)
                            .setPid(NamespaceMode.CONTAINER))));
  }

  private static ContainerConfig.Builder config(String name) {
    return config(name, LinuxContainerSecurityContext.newBuilder());
  }

  private String run(ContainerConfig.Builder config) {
    return cri.run(pod, podConfig, config.build());
  }

  private static String shell(String container, String script) {
    return cri.exec(container, "sh", "-c", "exec 2>&1; " + script)
        .getStdout()
        .toStringUtf8()
        .replace("\0", "")
        .strip();
  }

  private static String label(String container) {
    String first = shell(container, "cat /proc/1/attr/current");
    assertThat(shell(container, "cat /proc/self/attr/current")).as("command").isEqualTo(first);
    return first;
  }

  /** The label of a file as the node sees it. */
  private static String labelOfFile(Path file) throws Exception {
    Process stat = new ProcessBuilder("stat", "-c", "%C", file.toString()).start();
    String label = new String(stat.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(stat.waitFor()).isZero();
    return label.strip();
  }

  private static String level(String label) {
    return label.split(":", 4)[3];
  }

  @Test
  void processesFilesAndCommandsBearThePodsLabel() throws Exception {
    String container = run(config("c"));
    String label = label(container);
    assertThat(label).matches("system_u:system_r:container_t:s0:c\\d+,c\\d+");
    String files = "system_u:object_r:container_file_t:" + level(label);
    String mounts = shell(container, "cat /proc/mounts");
    for (String path : List.of("/", "/dev", "/dev/pts", "/dev/shm")) {
      assertThat(mounts.lines().filter(line -> line.split(" ")[1].equals(path)))
          .as(path)
          .allSatisfy(line -> assertThat(line).contains("context=\"" + files + "\""));
    }
    // The pod's own files are on the node.
    assertThat(shell(container, "cat /etc/hosts /etc/resolv.conf /etc/hostname"))
        .doesNotContain(DENIED);
    assertThat(shell(container, "touch /own /dev/shm/own /tmp/own && cat /own && echo fine"))
        .isEqualTo("fine");
    assertThat(shell(container, "touch /dev/mqueue/queue && echo fine")).isEqualTo("fine");
    assertThat(label(run(config("sibling")))).isEqualTo(label);
  }

  @Test
  void filesOfTheNodeAndOfOtherPodsAreOutOfReach() throws Exception {
    Mount.Builder plain = Mount.newBuilder().setHostPath(host.toString()).setContainerPath("/host");
    String container = run(config("c").addMounts(plain));
    assertThat(shell(container, "cat /host/file")).contains(DENIED);
    assertThat(shell(container, "ls /host")).contains(DENIED);
    assertThat(shell(container, "touch /host/new")).contains(DENIED);
    assertThat(host.resolve("new")).doesNotExist();

    String mine = run(config("mine").addMounts(plain.setSelinuxRelabel(true)));
    assertThat(shell(mine, "cat /host/file; touch /host/new && echo made"))
        .isEqualTo("of the node\nmade");
    assertThat(labelOfFile(host.resolve("file")))
        .isEqualTo("system_u:object_r:container_file_t:" + level(label(mine)));
    assertThat(labelOfFile(host.resolve("new"))).isEqualTo(labelOfFile(host.resolve("file")));

    PodSandboxConfig otherConfig = podConfig("other" + number);
    String other = cri.runPod(otherConfig);
    String theirs =
        cri.run(
            other, otherConfig, config("theirs").addMounts(plain.setSelinuxRelabel(false)).build());
    assertThat(label(theirs)).isNotEqualTo(label(mine));
    assertThat(shell(theirs, "cat /host/file")).contains(DENIED);
    cri.removePod(other);
  }

  @Test
  void cve202143816_systemOfTheNodeIsNotRelabelled() throws Exception {
    String before = labelOfFile(Path.of("/etc/passwd"));
    ContainerConfig.Builder asks =
        config("c")
            .addMounts(
                Mount.newBuilder()
                    .setHostPath("/etc")
                    .setContainerPath("/host")
                    .setSelinuxRelabel(true));
    assertThatThrownBy(() -> run(asks)).hasMessageContaining("belongs to the node's system");
    assertThat(labelOfFile(Path.of("/etc/passwd"))).isEqualTo(before);
  }

  @Test
  void podsSayWhatTheyWantToBe() {
    SELinuxOption.Builder asked = SELinuxOption.newBuilder().setLevel("s0:c7,c9");
    String container =
        run(config("c", LinuxContainerSecurityContext.newBuilder().setSelinuxOptions(asked)));
    assertThat(label(container)).isEqualTo("system_u:system_r:container_t:s0:c7,c9");
    for (SELinuxOption wrong :
        List.of(
            SELinuxOption.newBuilder().setLevel("s0,c4,c5").build(),
            SELinuxOption.newBuilder().setType("no_such_t").build())) {
      var security = LinuxContainerSecurityContext.newBuilder().setSelinuxOptions(wrong);
      assertThatThrownBy(() -> cri.create(pod, podConfig, config("wrong", security).build()))
          .isInstanceOfSatisfying(
              StatusRuntimeException.class,
              e -> {
                assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
                assertThat(e.getStatus().getDescription()).contains("selinux");
              });
    }
  }

  @Test
  void privilegedContainersAreUnconfined() throws Exception {
    String container =
        run(
            config("c", LinuxContainerSecurityContext.newBuilder().setPrivileged(true))
                .addMounts(
                    Mount.newBuilder().setHostPath(host.toString()).setContainerPath("/host")));
    assertThat(label(container)).startsWith("system_u:system_r:spc_t:s0");
    assertThat(shell(container, "cat /host/file")).isEqualTo("of the node");
  }

  @Test
  void firstProcessOfASharedPidNamespaceIsThePodsToo() {
    PodSandboxConfig.Builder shared = podConfig("shared" + number).toBuilder();
    shared
        .getLinuxBuilder()
        .getSecurityContextBuilder()
        .getNamespaceOptionsBuilder()
        .setPid(NamespaceMode.POD);
    String other = cri.runPod(shared.build());
    ContainerConfig.Builder config = config("c");
    config
        .getLinuxBuilder()
        .getSecurityContextBuilder()
        .getNamespaceOptionsBuilder()
        .setPid(NamespaceMode.POD);
    String container = cri.run(other, shared.build(), config.build());
    String label = shell(container, "cat /proc/1/attr/current");
    assertThat(label).isEqualTo(shell(container, "cat /proc/self/attr/current"));
    assertThat(shell(container, "cat /proc/1/mountinfo"))
        .contains("system_u:object_r:container_file_t:" + level(label));
    cri.removePod(other);
  }

  @Test
  void labelHoldsWithNoNewPrivilegesToo() {
    String container =
        run(config("c", LinuxContainerSecurityContext.newBuilder().setNoNewPrivs(true)));
    assertThat(label(container)).contains(":container_t:");
  }

  @Test
  void volumesOfImagesAreReadable() {
    ContainerConfig.Builder config =
        config("c")
            .addMounts(
                Mount.newBuilder()
                    .setImage(ImageSpec.newBuilder().setImage(image))
                    .setContainerPath("/image")
                    .setReadonly(true));
    String container = run(config);
    assertThat(shell(container, "/image/bin/busybox echo runs")).isEqualTo("runs");
    assertThat(shell(container, "touch /image/x")).contains("Read-only");
  }

  @Test
  void labelsOutliveTheDaemon() {
    String container = run(config("c"));
    String before = label(container);
    daemon.kill();
    daemon.restart();
    cri = daemon.cri();
    assertThat(label(container)).isEqualTo(before);
    assertThat(label(run(config("after")))).isEqualTo(before);
    cri.stop(container, 0);
  }

  @Test
  void peopleRelabelVolumesToo() throws Exception {
    assertThat(
            daemon
                .jrt(
                    "run",
                    "--rm",
                    "--network",
                    "host",
                    "-v",
                    host + ":/host:Z",
                    image,
                    "cat",
                    "/host/file")
                .ok())
        .isEqualTo("of the node\n");
  }

  @Test
  void namedVolumesAreEveryContainers() throws Exception {
    daemon.jrt("volume", "create", "shared").ok();
    for (String name : List.of("one", "two")) {
      daemon
          .jrt("run", "--rm", "--network", "host", "-v", "shared:/v", image, "touch", "/v/" + name)
          .ok();
    }
    daemon.jrt("volume", "rm", "shared").ok();
  }

  @Test
  void statusAndDoctorSayThatItIsThere() throws Exception {
    String said = "containers have SELinux labels";
    assertThat(daemon.jrt("doctor").out()).contains("good  rights: " + said);
    assertThat(
            cri.runtime()
                .status(StatusRequest.newBuilder().setVerbose(true).build())
                .getInfoOrThrow("doctor"))
        .contains(said)
        .doesNotContain("no SELinux");
  }
}
