package io.jrt.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.jrt.admin.v1.CreateVolumeRequest;
import io.jrt.admin.v1.RemoveVolumeRequest;
import io.jrt.cri.v1.ContainerConfig;
import io.jrt.cri.v1.ContainerState;
import io.jrt.cri.v1.ContainerStatus;
import io.jrt.cri.v1.CreateContainerRequest;
import io.jrt.cri.v1.ExecSyncRequest;
import io.jrt.cri.v1.ExecSyncResponse;
import io.jrt.cri.v1.ImageSpec;
import io.jrt.cri.v1.ImageStatusRequest;
import io.jrt.cri.v1.Mount;
import io.jrt.cri.v1.NamespaceMode;
import io.jrt.cri.v1.PodSandboxConfig;
import io.jrt.cri.v1.PodSandboxStatusRequest;
import io.jrt.cri.v1.PortMapping;
import io.jrt.cri.v1.PullImageRequest;
import io.jrt.cri.v1.RemoveContainerRequest;
import io.jrt.cri.v1.RemoveImageRequest;
import io.jrt.cri.v1.RemovePodSandboxRequest;
import io.jrt.cri.v1.RunPodSandboxRequest;
import io.jrt.cri.v1.StartContainerRequest;
import io.jrt.cri.v1.StopContainerRequest;
import io.jrt.cri.v1.StopPodSandboxRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/**
 * One pod from the pull of its image to the removal of both, as the kubelet goes about it: every
 * mutating call of CRI once, and each that does not work made again, unchanged, until it does.
 * Whatever happens in between, exit codes and logs must come out exact.
 */
final class PodLife {
  /** Is told of a call that did not work, and brings things into a state to try it again. */
  interface Trouble {
    void met(String call, StatusRuntimeException error) throws IOException;
  }

  private static final int TRIES = 40;
  static final int HOST_PORT = 42_919;

  private static final String SEES_ITS_MOUNTS =
      "touch /volume/x && test -x /image/busybox && cat /node/hello; exit 3";

  private final Daemon daemon;
  private final String image;
  private final Trouble trouble;
  private final Duration deadline;
  private final PodSandboxConfig config;
  private final Path logs;
  private final String volume;
  private final Path node;
  private String ip = "";

  /**
   * @param deadline of each call
   */
  PodLife(Daemon daemon, String name, String image, Duration deadline, Trouble trouble) {
    this.daemon = daemon;
    this.image = image;
    this.trouble = trouble;
    this.deadline = deadline;
    this.logs = daemon.home().resolve("logs").resolve(name);
    this.volume = "of-" + name;
    this.node = daemon.home().resolve("node-" + name);
    this.config =
        Cri.pod(name, NamespaceMode.POD, daemon.home().resolve("logs"))
            .addPortMappings(
                PortMapping.newBuilder().setContainerPort(80).setHostPort(HOST_PORT).build())
            .build();
  }

  /** The address that the pod had. */
  String ip() {
    return ip;
  }

  /** Lives it. */
  void live() throws IOException {
    ImageSpec spec = ImageSpec.newBuilder().setImage(image).build();
    insist(
        "pull",
        cri ->
            cri.images()
                .withDeadlineAfter(deadline.toMillis(), TimeUnit.MILLISECONDS)
                .pullImage(PullImageRequest.newBuilder().setImage(spec).build()));
    makeVolume();
    String pod = runPod();
    Started ends = run(pod, "ends", "echo one; echo two >&2; exit 42");
    ContainerStatus ended = awaitExit(ends.id());
    assertThat(ended.getExitCode()).as("exit code of ends: %s", ended).isEqualTo(42);
    assertThat(log(ends)).containsExactlyInAnyOrder("one", "two");
    Started stays =
        run(
            pod,
            "stays",
            "trap 'echo bye; exit 7' TERM; i=0; while :; do echo line $i; i=$((i+1)); sleep 0.02;"
                + " done");
    ExecSyncResponse exec =
        insist(
            "exec",
            cri ->
                cri.runtime()
                    .withDeadlineAfter(deadline.toMillis(), TimeUnit.MILLISECONDS)
                    .execSync(
                        ExecSyncRequest.newBuilder()
                            .setContainerId(stays.id())
                            .addAllCmd(List.of("sh", "-c", SEES_ITS_MOUNTS))
                            .setTimeout(10)
                            .build()));
    assertThat(exec.getExitCode()).isEqualTo(3);
    assertThat(exec.getStdout().toStringUtf8()).isEqualTo("hello\n");
    insist(
        "stop container",
        cri ->
            cri.runtime()
                .withDeadlineAfter(deadline.toMillis(), TimeUnit.MILLISECONDS)
                .stopContainer(
                    StopContainerRequest.newBuilder()
                        .setContainerId(stays.id())
                        .setTimeout(20)
                        .build()));
    assertThat(awaitExit(stays.id()).getExitCode()).as("exit code of stays").isEqualTo(7);
    assertCounted(log(stays));
    assertThat(awaitExit(ends.id()).getExitCode()).as("exit code of ends").isEqualTo(42);
    removeContainer(ends.id());
    insist(
        "stop pod",
        cri ->
            cri.runtime()
                .withDeadlineAfter(deadline.toMillis(), TimeUnit.MILLISECONDS)
                .stopPodSandbox(StopPodSandboxRequest.newBuilder().setPodSandboxId(pod).build()));
    insist(
        "remove pod",
        cri ->
            cri.runtime()
                .withDeadlineAfter(deadline.toMillis(), TimeUnit.MILLISECONDS)
                .removePodSandbox(
                    RemovePodSandboxRequest.newBuilder().setPodSandboxId(pod).build()));
    removeVolume();
    insist(
        "remove image",
        cri ->
            cri.images()
                .withDeadlineAfter(deadline.toMillis(), TimeUnit.MILLISECONDS)
                .removeImage(RemoveImageRequest.newBuilder().setImage(spec).build()));
    boolean left =
        insist(
            "image status",
            cri ->
                cri.images()
                    .imageStatus(ImageStatusRequest.newBuilder().setImage(spec).build())
                    .hasImage());
    assertThat(left).as("image after its removal").isFalse();
    Files.deleteIfExists(logs.resolve("ends-0.log"));
    Files.deleteIfExists(logs.resolve("stays-0.log"));
  }

  private void makeVolume() throws IOException {
    Files.createDirectories(node);
    Files.writeString(node.resolve("hello"), "hello\n");
    insist(
        "create volume",
        cri ->
            cri.admin()
                .withDeadlineAfter(deadline.toMillis(), TimeUnit.MILLISECONDS)
                .createVolume(CreateVolumeRequest.newBuilder().setName(volume).build()));
  }

  private void removeVolume() throws IOException {
    boolean gone =
        insist(
            "remove volume",
            cri -> {
              try {
                cri.admin()
                    .withDeadlineAfter(deadline.toMillis(), TimeUnit.MILLISECONDS)
                    .removeVolume(RemoveVolumeRequest.newBuilder().setName(volume).build());
                return true;
              } catch (StatusRuntimeException e) {
                if (e.getStatus().getCode() == Status.Code.NOT_FOUND) {
                  return true; // an earlier attempt came so far
                }
                throw e;
              }
            });
    assertThat(gone).isTrue();
    Files.delete(node.resolve("hello"));
    Files.delete(node);
  }

  /** Every kind of mount that somebody may ask for. */
  private List<Mount> mounts() {
    return List.of(
        Mount.newBuilder().setHostPath(node.toString()).setContainerPath("/node").build(),
        Mount.newBuilder().setHostPath(volume).setContainerPath("/volume").build(),
        Mount.newBuilder()
            .setImage(ImageSpec.newBuilder().setImage(image))
            .setImageSubPath("bin")
            .setContainerPath("/image")
            .setReadonly(true)
            .build());
  }

  private String runPod() throws IOException {
    String pod =
        insist(
            "run pod",
            cri ->
                cri.runtime()
                    .withDeadlineAfter(deadline.toMillis(), TimeUnit.MILLISECONDS)
                    .runPodSandbox(RunPodSandboxRequest.newBuilder().setConfig(config).build())
                    .getPodSandboxId());
    ip =
        insist(
            "pod status",
            cri ->
                cri.runtime()
                    .podSandboxStatus(
                        PodSandboxStatusRequest.newBuilder().setPodSandboxId(pod).build())
                    .getStatus()
                    .getNetwork()
                    .getIp());
    assertThat(ip).isNotEmpty();
    return pod;
  }

  /** A container that has started, and the number of attempts before it. */
  private record Started(String id, String name, int attempt) {}

  /** A start that failed ends its container, and the kubelet makes the next. */
  private Started run(String pod, String name, String script) throws IOException {
    for (int attempt = 0; ; attempt++) {
      ContainerConfig.Builder builder = Cri.container(name, image, "sh", "-c", script);
      builder.getMetadataBuilder().setAttempt(attempt);
      builder.setLogPath(name + "-" + attempt + ".log");
      builder.addAllMounts(mounts());
      ContainerConfig container = builder.build();
      String id =
          insist(
              "create container",
              cri ->
                  cri.runtime()
                      .withDeadlineAfter(deadline.toMillis(), TimeUnit.MILLISECONDS)
                      .createContainer(
                          CreateContainerRequest.newBuilder()
                              .setPodSandboxId(pod)
                              .setConfig(container)
                              .setSandboxConfig(config)
                              .build())
                      .getContainerId());
      if (start(id)) {
        return new Started(id, name, attempt);
      }
      removeContainer(id);
      assertThat(attempt).as("starts of %s that failed", name).isLessThan(3);
    }
  }

  private boolean start(String id) throws IOException {
    for (int i = 0; i < TRIES; i++) {
      try {
        daemon
            .cri()
            .runtime()
            .withDeadlineAfter(deadline.toMillis(), TimeUnit.MILLISECONDS)
            .startContainer(StartContainerRequest.newBuilder().setContainerId(id).build());
        return true;
      } catch (StatusRuntimeException e) {
        refuseReserved("start container", e);
        trouble.met("start container", e);
      }
      ContainerStatus status = insist("container status", cri -> cri.status(id));
      switch (status.getState()) {
        case CONTAINER_CREATED -> {}
        case CONTAINER_RUNNING -> {
          return true;
        }
        case CONTAINER_EXITED -> {
          return status.getStartedAt() != 0 && !status.getReason().equals("StartError");
        }
        case CONTAINER_UNKNOWN, UNRECOGNIZED -> throw new AssertionError(status.toString());
      }
    }
    throw new AssertionError("container " + id + " does not start");
  }

  private void removeContainer(String id) throws IOException {
    insist(
        "remove container",
        cri ->
            cri.runtime()
                .withDeadlineAfter(deadline.toMillis(), TimeUnit.MILLISECONDS)
                .removeContainer(RemoveContainerRequest.newBuilder().setContainerId(id).build()));
  }

  private ContainerStatus awaitExit(String id) throws IOException {
    long end = System.nanoTime() + Duration.ofSeconds(30).toNanos();
    while (true) {
      ContainerStatus status = insist("container status", cri -> cri.status(id));
      if (status.getState() == ContainerState.CONTAINER_EXITED) {
        return status;
      }
      assertThat(System.nanoTime()).as("container does not end: %s", status).isLessThan(end);
      Daemon.sleep(10);
    }
  }

  private <T> T insist(String call, Function<Cri, T> attempt) throws IOException {
    StatusRuntimeException last = null;
    for (int i = 0; i < TRIES; i++) {
      try {
        return attempt.apply(daemon.cri());
      } catch (StatusRuntimeException e) {
        refuseReserved(call, e);
        trouble.met(call, e);
        last = e;
      }
    }
    throw new AssertionError(call + " does not work, however often it is tried", last);
  }

  /** The one answer that a retry must never get. */
  private static void refuseReserved(String call, StatusRuntimeException error) {
    assertThat(error.getStatus().getCode())
        .as("%s: %s", call, error.getMessage())
        .isNotEqualTo(Status.Code.ALREADY_EXISTS);
  }

  private List<String> log(Started container) throws IOException {
    List<String> lines = new ArrayList<>();
    Path file = logs.resolve(container.name() + "-" + container.attempt() + ".log");
    for (String line : Files.readAllLines(file)) {
      lines.add(line.split(" ", 4)[3]);
    }
    return lines;
  }

  private static void assertCounted(List<String> lines) {
    List<String> expected = new ArrayList<>();
    for (int i = 0; i < lines.size() - 1; i++) {
      expected.add("line " + i);
    }
    expected.add("bye");
    assertThat(lines).isEqualTo(expected);
  }
}
