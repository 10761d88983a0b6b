package io.jrt.core.life;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrt.core.ContainerConfig;
import io.jrt.core.ContainerState;
import io.jrt.core.ContainerStatus;
import io.jrt.core.Deadline;
import io.jrt.core.IdMapping;
import io.jrt.core.ImageSpec;
import io.jrt.core.LinuxResources;
import io.jrt.core.LinuxUser;
import io.jrt.core.MountConfig;
import io.jrt.core.MountPropagation;
import io.jrt.core.NamespaceMode;
import io.jrt.core.PodConfig;
import io.jrt.core.PodState;
import io.jrt.core.TestHome;
import io.jrt.core.UserNamespaceConfig;
import io.jrt.errors.JrtException;
import io.jrt.linux.FailPoints;
import io.jrt.linux.Signals;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledIfEnvironmentVariable;
import org.junit.jupiter.api.io.TempDir;

/** What a process finds in its container: files, limits, ids, network. */
@Timeout(120)
class ContainerContentIT {
  private static final Deadline LATER = Deadline.after(Duration.ofMinutes(10));

  @SuppressWarnings("NullAway.Init") // open() is the first line of each test
  private RuntimeLab lab;

  @TempDir Path shared;

  private void open(boolean bridge) throws IOException {
    lab = new RuntimeLab(TestHome.make("core"), FailPoints.none(), bridge);
    lab.open();
  }

  @AfterEach
  void close() throws IOException {
    lab.close();
  }

  @Test
  void readOnlyRootKeepsTheImagesVolumesWritable() throws Exception {
    open(false);
    String pod = lab.runPod();
    ContainerConfig plain =
        lab.container(
            "c",
            "cat /data/file; touch /x 2>/dev/null || echo closed; id;"
                + " grep -E 'NoNewPrivs|Seccomp:' /proc/self/status; ls /proc/self/fd");
    ContainerConfig config =
        Configs.with(plain, Configs.readonly(plain.security()), Optional.empty());
    String container = lab.start(pod, config);
    assertThat(lab.awaitExit(container).cause().code()).isZero();
    assertThat(lab.log("c"))
        .contains(
            "image",
            "closed",
            "uid=1000(app) gid=1000 groups=50(staff),1000,4242",
            "NoNewPrivs:\t1",
            "Seccomp:\t2");
    ContainerStatus status = lab.runtime().containerStatus(container);
    assertThat(status.user()).contains(new LinuxUser(1000, 1000, List.of(1000L, 4242L, 50L)));
  }

  @Test
  void volumesOfThePodAndOfImages() throws Exception {
    open(false);
    Files.writeString(shared.resolve("in"), "from the node\n");
    String pod = lab.runPod();
    ContainerConfig plain =
        lab.container(
            "c", "cat /host/in /image/data/file; echo back > /host/out; touch /image/x || true");
    MountConfig image = imageVolume("");
    ContainerConfig config =
        Configs.with(
            plain,
            plain.security(),
            Optional.empty(),
            List.of(MountConfig.bind(shared.toString(), "/host", false), image));
    String container = lab.start(pod, config);
    assertThat(lab.awaitExit(container).cause().code()).isZero();
    assertThat(lab.log("c")).contains("from the node", "image");
    assertThat(shared.resolve("out")).hasContent("back");
    assertThat(lab.runtime().containerStatus(container).config().mounts().getLast().image())
        .hasValueSatisfying(
            mounted ->
                assertThat(mounted.imageRef())
                    .isEqualTo(lab.runtime().containerStatus(container).imageId()));
    assertThat(lab.log("c")).anyMatch(line -> line.contains("Read-only file system"));
  }

  private static MountConfig imageVolume(String subPath) {
    return new MountConfig(
        "/image",
        "",
        true,
        false,
        false,
        MountPropagation.PRIVATE,
        List.of(),
        List.of(),
        Optional.of(ImageSpec.of(BusyboxImages.NAME)),
        subPath,
        List.of());
  }

  @Test
  void imageVolumeThatIsNotReadOnlyIsRefused() throws Exception {
    open(false);
    String pod = lab.runPod();
    MountConfig readOnly = imageVolume("");
    MountConfig writable =
        new MountConfig(
            readOnly.containerPath(),
            "",
            false,
            false,
            false,
            MountPropagation.PRIVATE,
            List.of(),
            List.of(),
            readOnly.image(),
            "",
            List.of());
    assertThatThrownBy(
            () -> lab.start(pod, lab.container("c", "true").withMounts(List.of(writable))))
        .isInstanceOf(JrtException.class)
        .hasMessageContaining("read-only");
  }

  @Test
  void imageVolumeOfAPathThatIsNotInTheImageIsToldAtCreation() throws Exception {
    open(false);
    String pod = lab.runPod();
    ContainerConfig config =
        lab.container("c", "true").withMounts(List.of(imageVolume("not/there")));
    assertThatThrownBy(() -> lab.start(pod, config))
        .isInstanceOf(JrtException.class)
        .hasMessageContaining("not/there");
  }

  @Test
  void processThatOutgrowsItsMemoryIsOomKilled() throws Exception {
    open(false);
    String pod = lab.runPod();
    LinuxResources small =
        new LinuxResources(0, 0, 512, 24L << 20, 24L << 20, 1000, "", "", List.of(), Map.of());
    ContainerConfig plain = lab.container("c", "dd if=/dev/zero of=/dev/null bs=200M count=4");
    String container = lab.start(pod, Configs.with(plain, plain.security(), Optional.of(small)));
    ContainerState.Exited exited = lab.awaitExit(container);
    assertThat(exited.cause().code()).isEqualTo(137);
    assertThat(exited.cause().reason()).isEqualTo("OOMKilled");
    ContainerConfig calm = lab.container("calm", "sleep 1000");
    String other = lab.start(pod, Configs.with(calm, calm.security(), Optional.of(small)));
    lab.runtime()
        .updateContainer(
            other,
            new LinuxResources(0, 0, 0, 48L << 20, 48L << 20, 0, "", "", List.of(), Map.of()),
            Map.of());
    assertThat(lab.runtime().containerStatus(other).resources().memoryLimit()).isEqualTo(48L << 20);
    assertThat(lab.runtime().containerStats(other).memory().orElseThrow().available().orElse(0))
        .isGreaterThan(30L << 20);
    lab.runtime().stopContainer(other, Duration.ofMillis(10), LATER);
    assertThat(lab.awaitExit(other).cause().reason()).isEqualTo("Error");
  }

  @Test
  void podIsNotReadyWhenItsFirstProcessEnds() throws Exception {
    open(false);
    String pod = lab.runtime().runPod(lab.pod(NamespaceMode.NODE, NamespaceMode.POD), "", LATER);
    ContainerConfig plain = lab.container("c", "sleep 1000");
    String container =
        lab.start(
            pod,
            Configs.with(
                plain, Configs.withPid(plain.security(), NamespaceMode.POD), Optional.empty()));
    Matcher init = Pattern.compile("\"pid\" : ([0-9]+)").matcher(lab.runtime().inspectPod(pod));
    assertThat(init.find()).isTrue();
    assertThat(lab.kernel.processes().kill(Integer.parseInt(init.group(1)), Signals.SIGKILL))
        .isTrue();
    lab.awaitExit(container);
    long until = System.nanoTime() + RuntimeLab.SOON.toNanos();
    while (lab.runtime().podStatus(pod).state() == PodState.READY && System.nanoTime() < until) {
      Thread.sleep(10);
    }
    assertThat(lab.runtime().podStatus(pod).state()).isEqualTo(PodState.NOT_READY);
    lab.runtime().removePod(pod, LATER);
    assertThat(lab.traces()).isEmpty();
  }

  @Test
  void rootOfAUserNamespaceIsNobodyOnTheNode() throws Exception {
    open(false);
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
            lab.container(
                "c",
                "id -u; cat /proc/self/uid_map; touch /made; stat -c %u /bin /made; hostname"));
    assertThat(lab.awaitExit(container).cause().code()).isZero();
    assertThat(lab.log("c").stream().map(line -> line.strip().replaceAll(" +", " ")))
        .containsExactly("0", "0 200000 65536", "0", "0", "pod1");
    lab.restart();
    lab.runtime().removePod(pod, LATER);
    assertThat(lab.traces()).isEmpty();
  }

  @Test
  void fullDiskDoesNotKeepAnEndedContainerRunning() throws Exception {
    open(false);
    String pod = lab.runPod();
    lab.failPoints.arm("container-exit.store", FailPoints.Action.FAIL);
    String container = lab.start(pod, lab.container("c", "exit 9"));
    assertThat(lab.awaitExit(container).cause().code()).isEqualTo(9);
    lab.failPoints.disarm("container-exit.store");
    lab.restart();
    assertThat(lab.awaitExit(container).cause().code()).isEqualTo(9);
    lab.runtime().removePod(pod, LATER);
    assertThat(lab.traces()).isEmpty();
  }

  @Test
  @DisabledIfEnvironmentVariable(
      named = "JRT_IT_NETWORK",
      matches = ".+",
      disabledReason = "the built-in bridge cannot work on this kernel")
  void importedImageRunsOnTheBridgeAndThroughARestart() throws Exception {
    lab = new RuntimeLab(TestHome.make("core"), FailPoints.none(), true);
    lab.importImages();
    lab.open();
    String pod = lab.runPod();
    String ends = lab.start(pod, lab.container("ends", "echo $IMAGE; exit 11"));
    assertThat(lab.awaitExit(ends).cause().code()).isEqualTo(11);
    assertThat(lab.log("ends")).containsExactly("yes");
    String stays = lab.start(pod, lab.container("stays", "echo written > /file; sleep 1000"));
    lab.restart();
    assertThat(lab.exec(stays, "cat", "/file")).isEqualTo("written\n");
    assertThat(lab.images().snapshotKeys()).containsExactlyInAnyOrder(ends, stays);
    lab.runtime().removePod(pod, LATER);
    assertThat(lab.images().snapshotKeys()).isEmpty();
    assertThat(lab.traces()).isEmpty();
  }

  @Test
  @DisabledIfEnvironmentVariable(
      named = "JRT_IT_NETWORK",
      matches = ".+",
      disabledReason = "the built-in bridge cannot work on this kernel")
  void podsReachEachOtherThroughTheBridge() throws Exception {
    open(true);
    String first = lab.runPod();
    String second = lab.runPod();
    String ip = lab.runtime().podStatus(first).ips().getFirst();
    assertThat(ip).startsWith("10.211.0.");
    lab.start(first, lab.container("server", "echo served | nc -l -p 8080; sleep 1000"));
    Thread.sleep(300);
    String client = lab.start(second, lab.container("client", "sleep 1000"));
    assertThat(lab.exec(client, "sh", "-c", "nc " + ip + " 8080 </dev/null")).contains("served");
    lab.restart();
    assertThat(lab.runtime().podStatus(first).ips()).containsExactly(ip);
    assertThat(lab.runtime().podStats(second).interfaces()).isNotEmpty();
    lab.runtime().removePod(first, LATER);
    lab.runtime().removePod(second, LATER);
    assertThat(lab.traces()).isEmpty();
  }
}
