package io.jrt.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.jrt.cri.v1.ContainerConfig;
import io.jrt.cri.v1.ContainerState;
import io.jrt.cri.v1.ContainerStats;
import io.jrt.cri.v1.ContainerStatsRequest;
import io.jrt.cri.v1.ContainerStatus;
import io.jrt.cri.v1.LinuxContainerConfig;
import io.jrt.cri.v1.LinuxContainerResources;
import io.jrt.cri.v1.NamespaceMode;
import io.jrt.cri.v1.PodSandboxConfig;
import io.jrt.cri.v1.UpdateContainerResourcesRequest;
import io.jrt.cri.v1.UpdatePodSandboxResourcesRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Limits, from the request to what the container finds and the kernel does, v1 or v2. */
class ResourcesIT {
  private static final boolean UNIFIED = Files.exists(Path.of("/sys/fs/cgroup/cgroup.controllers"));
  private static final long MEMORY = 64 << 20;

  private Daemon daemon;
  private Cri cri;
  private String image;
  private PodSandboxConfig pod;
  private String podId;

  @BeforeEach
  void startDaemon() throws IOException, InterruptedException {
    daemon = Daemon.start();
    cri = daemon.cri();
    image = daemon.bundledImage();
    pod = Cri.pod("limits", NamespaceMode.NODE, daemon.home().resolve("logs")).build();
    podId = cri.runPod(pod);
  }

  @AfterEach
  void stopDaemon() throws IOException {
    daemon.close();
  }

  private String run(String script) {
    LinuxContainerResources resources =
        LinuxContainerResources.newBuilder()
            .setCpuShares(1024)
            .setCpuPeriod(100_000)
            .setCpuQuota(50_000)
            .setMemoryLimitInBytes(MEMORY)
            .setMemorySwapLimitInBytes(MEMORY)
            .build();
    ContainerConfig config =
        Cri.container("main", image, "sh", "-c", script)
            .setLinux(LinuxContainerConfig.newBuilder().setResources(resources))
            .build();
    return cri.run(podId, pod, config);
  }

  private String file(String container, String unified, String legacy) {
    return cri.exec(container, "cat", "/sys/fs/cgroup/" + (UNIFIED ? unified : legacy))
        .getStdout()
        .toStringUtf8()
        .strip();
  }

  @Test
  void limitsAreWhatTheContainerFindsAndCanBeChanged() {
    String container = run("sleep 1000");
    assertThat(file(container, "memory.max", "memory/memory.limit_in_bytes"))
        .isEqualTo(Long.toString(MEMORY));
    assertThat(file(container, "cpu.weight", "cpu/cpu.shares")).isEqualTo(UNIFIED ? "100" : "1024");
    assertThat(file(container, "cpu.max", "cpu/cpu.cfs_quota_us"))
        .isEqualTo(UNIFIED ? "50000 100000" : "50000");

    cri.runtime()
        .updateContainerResources(
            UpdateContainerResourcesRequest.newBuilder()
                .setContainerId(container)
                .setLinux(
                    LinuxContainerResources.newBuilder()
                        .setCpuShares(512)
                        .setCpuPeriod(100_000)
                        .setCpuQuota(20_000)
                        .setMemoryLimitInBytes(2 * MEMORY)
                        .setMemorySwapLimitInBytes(2 * MEMORY))
                .build());
    assertThat(file(container, "memory.max", "memory/memory.limit_in_bytes"))
        .isEqualTo(Long.toString(2 * MEMORY));
    assertThat(file(container, "cpu.max", "cpu/cpu.cfs_quota_us"))
        .isEqualTo(UNIFIED ? "20000 100000" : "20000");
  }

  @Test
  void aLimitBelowWhatIsInUseIsRefusedWithTheReasonAndChangesNothing() {
    String container =
        run("dd if=/dev/zero of=/dev/shm/x bs=1M count=24; touch /dev/shm/filled; sleep 1000");
    cri.exec(container, "sh", "-c", "until [ -e /dev/shm/filled ]; do sleep 0.1; done");
    UpdateContainerResourcesRequest request =
        UpdateContainerResourcesRequest.newBuilder()
            .setContainerId(container)
            .setLinux(
                LinuxContainerResources.newBuilder()
                    .setCpuShares(256)
                    .setMemoryLimitInBytes(8 << 20)
                    .setMemorySwapLimitInBytes(8 << 20))
            .build();
    assertThatThrownBy(() -> cri.runtime().updateContainerResources(request))
        .isInstanceOfSatisfying(
            StatusRuntimeException.class,
            e -> assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.FAILED_PRECONDITION))
        .hasMessageContaining("memory limit 8388608 of cgroup")
        .hasMessageContaining("bytes in use");
    assertThat(file(container, "memory.max", "memory/memory.limit_in_bytes"))
        .isEqualTo(Long.toString(MEMORY));
    assertThat(file(container, "cpu.weight", "cpu/cpu.shares")).isEqualTo(UNIFIED ? "100" : "1024");
    assertThat(cri.status(container).getResources().getLinux().getMemoryLimitInBytes())
        .isEqualTo(MEMORY);
  }

  @Test
  void theContainerSeesItsCgroupAsTheRootAndCommandsShareIt() {
    String container = run("sleep 1000");
    for (String line :
        cri.exec(container, "cat", "/proc/self/cgroup")
            .getStdout()
            .toStringUtf8()
            .lines()
            .toList()) {
      assertThat(line).endsWith(":/");
    }
    assertThat(cri.exec(container, "sh", "-c", "mkdir /sys/fs/cgroup/x").getExitCode()).isNotZero();
  }

  @Test
  void whoOutgrowsItsMemoryIsOomKilledAndTheReasonOutlivesTheDaemon() {
    String container = run("x=x; while :; do x=$x$x; done");
    ContainerStatus status = cri.awaitExit(container);
    assertThat(status.getReason()).isEqualTo("OOMKilled");
    assertThat(status.getExitCode()).isEqualTo(137);
    restart();
    assertThat(cri.status(container).getReason()).isEqualTo("OOMKilled");
  }

  @Test
  void limitsStatisticsAndStopSurviveADaemonThatIsKilled() {
    String container = run("while :; do :; done");
    restart();
    assertThat(cri.status(container).getState()).isEqualTo(ContainerState.CONTAINER_RUNNING);
    assertThat(file(container, "memory.max", "memory/memory.limit_in_bytes"))
        .isEqualTo(Long.toString(MEMORY));
    ContainerStats stats =
        cri.runtime()
            .containerStats(ContainerStatsRequest.newBuilder().setContainerId(container).build())
            .getStats();
    assertThat(stats.getCpu().getUsageCoreNanoSeconds().getValue()).isPositive();
    assertThat(stats.getMemory().getWorkingSetBytes().getValue()).isBetween(1L, MEMORY);
    cri.stop(container, 0);
    assertThat(cri.status(container).getState()).isEqualTo(ContainerState.CONTAINER_EXITED);
  }

  @Test
  void devicesThatWereNotGivenCannotBeOpened() {
    String container = run("sleep 1000");
    assertThat(cri.exec(container, "sh", "-c", "head -c 1 /dev/zero >/dev/null").getExitCode())
        .isZero();
    assertThat(
            cri.exec(container, "sh", "-c", "mknod /mem c 1 1 && head -c 1 /mem")
                .getStderr()
                .toStringUtf8())
        .contains("not permitted");
  }

  private void restart() {
    daemon.kill();
    daemon.restart();
    cri = daemon.cri();
  }

  @Test
  void thePodsLimitsFollowTheKubelet() throws Exception {
    run("sleep 1000");
    cri.runtime()
        .updatePodSandboxResources(
            UpdatePodSandboxResourcesRequest.newBuilder()
                .setPodSandboxId(podId)
                .setResources(
                    LinuxContainerResources.newBuilder()
                        .setCpuPeriod(100_000)
                        .setCpuQuota(80_000)
                        .setMemoryLimitInBytes(4 * MEMORY))
                .build());
    assertThat(ofPod("memory", "memory.max", "memory.limit_in_bytes"))
        .isEqualTo(Long.toString(4 * MEMORY));
    assertThat(ofPod("cpu", "cpu.max", "cpu.cfs_quota_us")).startsWith("80000");
    // Less than what is in use: refused with the reason, and nothing changed.
    assertThatThrownBy(
            () ->
                cri.runtime()
                    .updatePodSandboxResources(
                        UpdatePodSandboxResourcesRequest.newBuilder()
                            .setPodSandboxId(podId)
                            .setResources(
                                LinuxContainerResources.newBuilder().setMemoryLimitInBytes(4096))
                            .build()))
        .isInstanceOf(StatusRuntimeException.class)
        .hasMessageContaining("memory");
    assertThat(ofPod("memory", "memory.max", "memory.limit_in_bytes"))
        .isEqualTo(Long.toString(4 * MEMORY));
    daemon.kill();
    daemon.restart();
    cri = daemon.cri();
    String shown = daemon.jrt("inspect", podId).ok();
    assertThat(shown).contains(Long.toString(4 * MEMORY));
  }

  /** A file of the pod's own cgroup. */
  private String ofPod(String controller, String unified, String legacy) throws IOException {
    Path root = Path.of("/sys/fs/cgroup").resolve(UNIFIED ? "" : controller);
    try (Stream<Path> found =
        Files.find(
            root,
            5,
            (path, a) -> a.isDirectory() && path.getFileName().toString().contains(podId))) {
      Path pod = found.findFirst().orElseThrow();
      return Files.readString(pod.resolve(UNIFIED ? unified : legacy)).strip();
    }
  }
}
