package io.jrt.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.jrt.cri.v1.ContainerState;
import io.jrt.cri.v1.ContainerStatus;
import io.jrt.cri.v1.ExecSyncRequest;
import io.jrt.cri.v1.ExecSyncResponse;
import io.jrt.cri.v1.ImageSpec;
import io.jrt.cri.v1.ImageStatusRequest;
import io.jrt.cri.v1.NamespaceMode;
import io.jrt.cri.v1.PodSandboxConfig;
import io.jrt.cri.v1.PodSandboxState;
import io.jrt.cri.v1.PodSandboxStatusRequest;
import io.jrt.cri.v1.RemoveImageRequest;
import io.jrt.cri.v1.StopPodSandboxRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** From a pull to the removal, as the kubelet goes about it, and what a crash leaves of it. */
class LifecycleIT {
  @TempDir private static Path directory;
  private static LocalRegistry registry;
  private static String busybox;
  private Daemon daemon;
  private Cri cri;
  private Path logs;

  @BeforeAll
  static void startRegistry() throws IOException, InterruptedException {
    registry = LocalRegistry.start(directory);
    busybox = registry.push("it/busybox", "1", Workloads.busybox());
  }

  @AfterAll
  static void stopRegistry() {
    registry.close();
  }

  @BeforeEach
  void startDaemon() throws IOException {
    daemon = Daemon.start();
    cri = daemon.cri();
    logs = daemon.home().resolve("logs");
  }

  @AfterEach
  void stopDaemon() throws IOException {
    daemon.close();
  }

  @Test
  void fromPullToRemoval() throws IOException {
    String imageId = cri.pull(busybox);
    assertThat(imageId).startsWith("sha256:");

    PodSandboxConfig config = Cri.pod("web", NamespaceMode.POD, logs).build();
    String pod = cri.runPod(config);
    assertThat(podStatus(pod).getState()).isEqualTo(PodSandboxState.SANDBOX_READY);
    assertThat(podStatus(pod).getNetwork().getIp()).matches("[0-9.]+|[0-9a-f:]+");

    String container =
        cri.create(
            pod,
            config,
            Cri.container(
                    "main",
                    busybox,
                    "sh",
                    "-c",
                    "echo out; echo err >&2; trap 'exit 7' TERM; while :; do sleep 0.1; done")
                // As the kubelet does: by id, and the author's words for people.
                .setImage(ImageSpec.newBuilder().setImage(imageId).setUserSpecifiedImage(busybox))
                .build());
    assertThat(cri.status(container).getState()).isEqualTo(ContainerState.CONTAINER_CREATED);
    cri.start(container);
    ContainerStatus running = cri.status(container);
    assertThat(running.getState()).isEqualTo(ContainerState.CONTAINER_RUNNING);
    assertThat(running.getImageId()).isEqualTo(imageId);
    assertThat(running.getImage().getImage()).isEqualTo(busybox);
    assertThat(running.getImageRef()).startsWith(busybox.replaceFirst(":[^:]*$", "@sha256:"));

    ExecSyncResponse exec = cri.exec(container, "sh", "-c", "echo hello; echo oops >&2; exit 3");
    assertThat(exec.getExitCode()).isEqualTo(3);
    assertThat(exec.getStdout().toStringUtf8()).isEqualTo("hello\n");
    assertThat(exec.getStderr().toStringUtf8()).isEqualTo("oops\n");
    assertThat(cri.exec(container, "hostname").getStdout().toStringUtf8()).isEqualTo("web\n");

    cri.stop(container, 10);
    ContainerStatus ended = cri.awaitExit(container);
    assertThat(ended.getExitCode()).isEqualTo(7);
    assertThat(ended.getReason()).isEqualTo("Error");
    assertThat(log("web", "main")).anyMatch(line -> line.endsWith(" stdout F out"));
    assertThat(log("web", "main")).anyMatch(line -> line.endsWith(" stderr F err"));

    cri.removePod(pod);
    cri.removePod(pod);
    assertThatThrownBy(() -> cri.status(container))
        .isInstanceOfSatisfying(
            StatusRuntimeException.class,
            e -> assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.NOT_FOUND));
    cri.images()
        .removeImage(
            RemoveImageRequest.newBuilder()
                .setImage(ImageSpec.newBuilder().setImage(busybox))
                .build());
    assertThat(
            cri.images()
                .imageStatus(
                    ImageStatusRequest.newBuilder()
                        .setImage(ImageSpec.newBuilder().setImage(busybox))
                        .build())
                .hasImage())
        .isFalse();
  }

  @Test
  void aCommandThatIsNotThereIsNamed() {
    cri.pull(busybox);
    PodSandboxConfig config = Cri.pod("p", NamespaceMode.NODE, logs).build();
    String pod = cri.runPod(config);
    String container =
        cri.create(pod, config, Cri.container("c", busybox, "/no/such/program").build());
    assertThatThrownBy(() -> cri.start(container))
        .isInstanceOf(StatusRuntimeException.class)
        .hasMessageContaining("/no/such/program");
    ContainerStatus status = cri.status(container);
    assertThat(status.getState()).isEqualTo(ContainerState.CONTAINER_EXITED);
    assertThat(status.getExitCode()).isEqualTo(127);
    assertThat(status.getMessage()).contains("/no/such/program");
  }

  @Test
  void anExecThatOutlivesItsTimeIsKilledWhole() {
    String container = sleeper("p");
    assertThatThrownBy(
            () ->
                cri.runtime()
                    .execSync(
                        ExecSyncRequest.newBuilder()
                            .setContainerId(container)
                            .addAllCmd(List.of("sh", "-c", "sleep 4321 & sleep 4321; wait"))
                            .setTimeout(1)
                            .build()))
        .isInstanceOfSatisfying(
            StatusRuntimeException.class,
            e -> assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED));
    String left = cri.exec(container, "ps", "-o", "args").getStdout().toStringUtf8();
    assertThat(left).doesNotContain("4321");
  }

  @Test
  void aShorterSecondStopCutsTheFirstShort() throws Exception {
    cri.pull(busybox);
    PodSandboxConfig config = Cri.pod("p", NamespaceMode.NODE, logs).build();
    String pod = cri.runPod(config);
    String stubborn =
        cri.run(
            pod,
            config,
            Cri.container("c", busybox, "sh", "-c", "trap '' TERM; while :; do sleep 0.1; done")
                .build());
    try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<?> first = executor.submit(() -> cri.stop(stubborn, 100));
      Daemon.sleep(300);
      cri.stop(stubborn, 1);
      first.get();
    }
    assertThat(cri.status(stubborn).getExitCode()).isEqualTo(137);
  }

  @Test
  void containersOutliveTheDaemonAndNothingOfThemIsLost() throws IOException {
    cri.pull(busybox);
    PodSandboxConfig config = Cri.pod("p", NamespaceMode.POD, logs).build();
    String pod = cri.runPod(config);
    String counting =
        cri.run(
            pod,
            config,
            Cri.container(
                    "counting",
                    busybox,
                    "sh",
                    "-c",
                    "i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done; sleep 2; exit"
                        + " 9")
                .build());
    String staying =
        cri.run(pod, config, Cri.container("staying", busybox, "sleep", "1000").build());
    daemon.kill();
    Daemon.sleep(3000);
    daemon.restart();
    cri = daemon.cri();

    ContainerStatus ended = cri.awaitExit(counting);
    assertThat(ended.getExitCode()).isEqualTo(9);
    List<String> lines =
        log("p", "counting").stream().map(line -> line.replaceFirst(".* F ", "")).toList();
    List<String> expected = new ArrayList<>();
    for (int i = 0; i < 3000; i++) {
      expected.add("line " + i);
    }
    assertThat(lines).isEqualTo(expected);
    assertThat(cri.status(staying).getState()).isEqualTo(ContainerState.CONTAINER_RUNNING);
    assertThat(cri.exec(staying, "echo", "still here").getStdout().toStringUtf8())
        .isEqualTo("still here\n");
    cri.stop(staying, 0);
    assertThat(cri.awaitExit(staying).getExitCode()).isEqualTo(137);
    cri.runtime().stopPodSandbox(StopPodSandboxRequest.newBuilder().setPodSandboxId(pod).build());
    assertThat(podStatus(pod).getState()).isEqualTo(PodSandboxState.SANDBOX_NOTREADY);
  }

  @Test
  void fiftyPodsAtOnce() throws Exception {
    cri.pull(busybox);
    List<Future<String>> pods = new ArrayList<>();
    try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 50; i++) {
        String name = "p" + i;
        pods.add(
            executor.submit(
                () -> {
                  PodSandboxConfig config = Cri.pod(name, NamespaceMode.POD, logs).build();
                  String pod = cri.runPod(config);
                  return cri.run(
                      pod,
                      config,
                      Cri.container("c", busybox, "sh", "-c", "echo " + name + "; exec sleep 1000")
                          .build());
                }));
      }
    }
    for (int i = 0; i < 50; i++) {
      String container = pods.get(i).get();
      assertThat(cri.status(container).getState()).isEqualTo(ContainerState.CONTAINER_RUNNING);
      assertThat(cri.exec(container, "hostname").getStdout().toStringUtf8())
          .isEqualTo("p" + i + "\n");
    }
  }

  @Test
  void fiftyPodsWhileTheDaemonDiesAtRandomMoments() throws Exception {
    cri.pull(busybox);
    for (int round = 0; round < 3; round++) {
      List<Future<?>> starts = new ArrayList<>();
      try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
        for (int i = 0; i < 17; i++) {
          String name = "r" + round + "p" + i;
          starts.add(executor.submit(() -> startUnlessKilled(name)));
        }
        Daemon.sleep(200L + 350L * round);
        daemon.kill();
      }
      for (Future<?> start : starts) {
        start.get();
      }
      daemon.restart();
      cri = daemon.cri();
      // Whatever stage a pod had reached, it can be taken away.
      cri.removeEverything();
    }
  }

  private void startUnlessKilled(String name) {
    try {
      PodSandboxConfig config = Cri.pod(name, NamespaceMode.POD, logs).build();
      String pod = cri.runPod(config);
      cri.run(pod, config, Cri.container("c", busybox, "sleep", "1000").build());
    } catch (StatusRuntimeException e) {
      // The daemon was killed under the call, as it had to be; anything else is a failure.
      assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    }
  }

  private String sleeper(String name) {
    cri.pull(busybox);
    PodSandboxConfig config = Cri.pod(name, NamespaceMode.NODE, logs).build();
    String pod = cri.runPod(config);
    return cri.run(pod, config, Cri.container("c", busybox, "sleep", "1000").build());
  }

  private io.jrt.cri.v1.PodSandboxStatus podStatus(String pod) {
    return cri.runtime()
        .podSandboxStatus(PodSandboxStatusRequest.newBuilder().setPodSandboxId(pod).build())
        .getStatus();
  }

  /** The lines of a container's log, once they are there. */
  private List<String> log(String pod, String container) throws IOException {
    Path file = logs.resolve(pod).resolve(container + ".log");
    long end = System.nanoTime() + Duration.ofSeconds(10).toNanos();
    while (!Files.exists(file) && System.nanoTime() < end) {
      Daemon.sleep(20);
    }
    return Files.readAllLines(file);
  }
}
