package io.jrt.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrt.cri.v1.ContainerState;
import io.jrt.cri.v1.NamespaceMode;
import io.jrt.cri.v1.PodSandboxConfig;
import io.jrt.cri.v1.PodSandboxState;
import io.jrt.cri.v1.PodSandboxStatusRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** {@code jrt check} on a machine on which somebody meddled: it explains, and mends. */
class CheckIT {
  private static final String STRANGER = "ab".repeat(32);

  private Daemon daemon;
  private String pod;
  private String container;

  @BeforeEach
  void startDaemon() throws IOException, InterruptedException {
    daemon = Daemon.start(Daemon.newHome(), Daemon.ownRange(), Map.of());
    String image = daemon.bundledImage();
    PodSandboxConfig config =
        Cri.pod("p", NamespaceMode.POD, daemon.home().resolve("logs")).build();
    pod = daemon.cri().runPod(config);
    container = daemon.cri().run(pod, config, Cri.container("c", image, "sleep", "1000").build());
  }

  @AfterEach
  void stopDaemon() throws IOException {
    daemon.close();
  }

  private Path home(String path) {
    return daemon.home().resolve(path);
  }

  private void isMended(String subject, String problem) throws IOException, InterruptedException {
    Daemon.Result told = daemon.jrt("check");
    assertThat(told.code()).isEqualTo(1);
    assertThat(told.out()).contains(subject).contains(problem).contains("--repair:");
    assertThat(daemon.jrt("check", "--repair").ok()).contains(subject).contains("repaired:");
    assertThat(daemon.jrt("check").ok()).contains("everything is as it should be");
    assertThat(daemon.cri().status(container).getState())
        .isEqualTo(ContainerState.CONTAINER_RUNNING);
  }

  @Test
  void aWholeNodeHasNothingToTell() throws IOException, InterruptedException {
    assertThat(daemon.jrt("check").ok()).contains("everything is as it should be");
  }

  @Test
  void recordsThatAreGoneOrBrokenAreWrittenAgain() throws IOException, InterruptedException {
    Path podRecord = home("root/pods/" + pod + ".json");
    Path containerRecord = home("root/containers/" + container + ".json");
    Files.delete(podRecord);
    isMended("pod " + pod, "its record on disk is missing");
    Files.writeString(containerRecord, "{");
    isMended("container " + container, "its record on disk is missing");
    daemon.kill();
    daemon.restart();
    assertThat(daemon.cri().status(container).getState())
        .isEqualTo(ContainerState.CONTAINER_RUNNING);
  }

  @Test
  void directoriesAndNamespacesOfNobodyAreReleased() throws IOException, InterruptedException {
    Path netns = home("state/pods/" + STRANGER + "/ns/net");
    Files.createDirectories(home("state/pods/" + STRANGER + "/ns"));
    Files.createFile(netns);
    assertThat(
            new ProcessBuilder("mount", "--bind", "/proc/self/ns/net", netns.toString())
                .inheritIO()
                .start()
                .waitFor())
        .isZero();
    isMended("pod " + STRANGER, "it has a directory and no record");
    assertThat(netns).doesNotExist();
    Files.createDirectories(home("state/containers/" + STRANGER + "/keeper"));
    isMended("container " + STRANGER, "it has a directory and no record");
  }

  @Test
  void aCgroupOfNobodyIsRemovedWithWhatIsInIt() throws Exception {
    String own = "jrt-" + Leaks.instance(home("root"));
    List<Path> all;
    try (Stream<Path> places =
        Files.find(
            Path.of("/sys/fs/cgroup"),
            2,
            (path, attributes) -> path.endsWith(own) && !Files.isSymbolicLink(path))) {
      all = places.map(path -> path.resolve(STRANGER)).toList();
    }
    for (Path place : all) {
      Files.createDirectories(place);
    }
    Process sleeper = new ProcessBuilder("sleep", "1000").start();
    for (Path place : all) {
      if (!place.toString().contains("cpuset")) {
        Files.writeString(place.resolve("cgroup.procs"), Long.toString(sleeper.pid()));
      }
    }
    isMended("/" + own + "/" + STRANGER, "it belongs to no pod");
    assertThat(sleeper.waitFor()).isEqualTo(137);
    assertThat(all).allSatisfy(place -> assertThat(place).doesNotExist());
  }

  @Test
  void aSandboxWhoseNamespacesAreGoneIsNotReadyAnyMore() throws IOException, InterruptedException {
    assertThat(
            new ProcessBuilder("umount", "-l", home("state/pods/" + pod + "/ns/net").toString())
                .start()
                .waitFor())
        .isZero();
    Daemon.Result told = daemon.jrt("check", "--repair");
    assertThat(told.ok()).contains("pod " + pod).contains("its namespaces are gone");
    assertThat(
            daemon
                .cri()
                .runtime()
                .podSandboxStatus(PodSandboxStatusRequest.newBuilder().setPodSandboxId(pod).build())
                .getStatus()
                .getState())
        .isEqualTo(PodSandboxState.SANDBOX_NOTREADY);
  }
}
