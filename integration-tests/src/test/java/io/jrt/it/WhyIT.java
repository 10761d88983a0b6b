package io.jrt.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.jrt.cri.v1.ContainerConfig;
import io.jrt.cri.v1.ContainerStatus;
import io.jrt.cri.v1.LinuxContainerConfig;
import io.jrt.cri.v1.LinuxContainerResources;
import io.jrt.cri.v1.LinuxContainerSecurityContext;
import io.jrt.cri.v1.Mount;
import io.jrt.cri.v1.NamespaceMode;
import io.jrt.cri.v1.PodSandboxConfig;
import io.jrt.cri.v1.SecurityProfile;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Ways in which a container fails, and what the kubelet and people are told of each. */
class WhyIT {
  private static final long SMALL = 24 << 20;
  private static final String EAT = "tail /dev/zero";
  private static Daemon daemon;
  private static Cri cri;
  private static String image;
  private static String pod;
  private static PodSandboxConfig podConfig;
  private static Path host;

  @BeforeAll
  static void start() throws Exception {
    daemon = Daemon.start();
    cri = daemon.cri();
    image = daemon.bundledImage();
    podConfig = Cri.pod("why", NamespaceMode.NODE, daemon.home().resolve("logs")).build();
    pod = cri.runPod(podConfig);
    host = Files.createDirectory(daemon.home().resolve("host"));
    program("no-interpreter", "#!/no/such/interpreter\n", "rwxr-xr-x");
    program(
        "other-machine",
        "\u007fELF\u0002\u0001\u0001"
            + "\0".repeat(9)
            + "\u0002\0\u00f3\0"
            + "\u0001\0\0\0"
            + "\0".repeat(40),
        "rwxr-xr-x");
    program("not-executable", "#!/bin/sh\n", "rw-r--r--");
    program("no-format", "nothing that runs\0\n", "rwxr-xr-x");
  }

  private static void program(String name, String content, String mode) throws IOException {
    Path file = host.resolve(name);
    Files.write(file, content.getBytes(java.nio.charset.StandardCharsets.ISO_8859_1));
    Files.setPosixFilePermissions(
        file, java.nio.file.attribute.PosixFilePermissions.fromString(mode));
  }

  @AfterAll
  static void stop() throws IOException {
    daemon.close();
  }

  /** What is done to a container that runs. */
  private interface Deed {
    void on(String container) throws Exception;
  }

  private static final Deed NOTHING = container -> {};

  /**
   * One failure and its right answer.
   *
   * @param message a part of the status' message, empty when it has none
   */
  record Case(
      String name, ContainerConfig config, Deed deed, int code, String reason, String message) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static ContainerConfig.Builder shell(String script) {
    return Cri.container("c" + System.nanoTime(), image, "sh", "-c", script);
  }

  private static ContainerConfig.Builder command(String... words) {
    return Cri.container("c" + System.nanoTime(), image, words)
        .addMounts(Mount.newBuilder().setHostPath(host.toString()).setContainerPath("/host"));
  }

  private static ContainerConfig limited(String script) {
    return shell(script)
        .setLinux(
            LinuxContainerConfig.newBuilder()
                .setResources(
                    LinuxContainerResources.newBuilder()
                        .setMemoryLimitInBytes(SMALL)
                        .setMemorySwapLimitInBytes(SMALL)))
        .build();
  }

  private static ContainerConfig secured(
      LinuxContainerSecurityContext.Builder security, String script) {
    return shell(script)
        .setLinux(LinuxContainerConfig.newBuilder().setSecurityContext(security))
        .build();
  }

  static List<Case> failures() throws IOException {
    List<Case> all = new ArrayList<>();
    all.add(new Case("it is done", shell("exit 0").build(), NOTHING, 0, "Completed", ""));
    all.add(new Case("its own exit code", shell("exit 3").build(), NOTHING, 3, "Error", ""));
    all.add(
        new Case(
            "the main process runs out of memory",
            limited("exec " + EAT),
            NOTHING,
            137,
            "OOMKilled",
            "the kernel killed it: its memory limit of " + SMALL));
    all.add(
        new Case(
            "a child runs out of memory, and the main process ends with that",
            limited(EAT + "; exit $?"),
            NOTHING,
            137,
            "OOMKilled",
            "the kernel killed a process of it"));
    all.add(
        new Case(
            "a child runs out of memory, and the main process ends by itself",
            limited(EAT + "; exit 4"),
            NOTHING,
            4,
            "Error",
            "before that the kernel had killed 1 of its processes"));
    all.add(
        new Case(
            "a stop after a child ran out of memory",
            limited(EAT + "; touch /tmp/lived; exec sleep 1000"),
            container -> {
              await(container, "/tmp/lived");
              cri.stop(container, 0);
            },
            137,
            "Error",
            "ended by SIGKILL on a request to stop"));
    all.add(
        new Case(
            "killed from outside after a child ran out of memory",
            limited(EAT + "; touch /tmp/lived; exec sleep 1000"),
            container -> {
              await(container, "/tmp/lived");
              kill(container, "KILL");
            },
            137,
            "Error",
            "ended by SIGKILL, which the runtime did not send; before that the kernel had killed"
                + " 1"));
    all.add(
        new Case(
            "SIGTERM from outside after a child ran out of memory",
            limited(EAT + "; trap 'exit 143' TERM; touch /tmp/lived; while :; do sleep 0.1; done"),
            container -> {
              await(container, "/tmp/lived");
              kill(container, "TERM");
            },
            143,
            "Error",
            "before that the kernel had killed 1"));
    all.add(
        new Case("a bad memory access", shell("kill -SEGV $$").build(), NOTHING, 139, "Error", ""));
    all.add(
        new Case(
            "a child's bad memory access",
            shell("sh -c 'kill -SEGV $$'; exit $?").build(),
            NOTHING,
            139,
            "Error",
            "SIGSEGV"));
    all.add(
        new Case(
            "killed from outside",
            shell("exec sleep 1000").build(),
            container -> kill(container, "KILL"),
            137,
            "Error",
            "ended by SIGKILL, which the runtime did not send"));
    all.add(
        new Case(
            "segfault sent from outside",
            shell("exec sleep 1000").build(),
            container -> kill(container, "SEGV"),
            139,
            "Error",
            "ended by SIGSEGV"));
    all.add(
        new Case(
            "a stop that it heeds",
            shell("trap 'exit 0' TERM; sleep 1000 & wait").build(),
            container -> {
              Daemon.sleep(500);
              cri.stop(container, 20);
            },
            0,
            "Completed",
            ""));
    all.add(
        new Case(
            "a stop that it does not heed",
            shell("trap '' TERM; sleep 1000").build(),
            container -> {
              Daemon.sleep(500);
              cri.stop(container, 1);
            },
            137,
            "Error",
            "ended by SIGKILL on a request to stop"));
    all.add(
        new Case(
            "no such command",
            command("/no/such/command").build(),
            NOTHING,
            127,
            "ContainerCannotRun",
            "/no/such/command"));
    all.add(
        new Case(
            "no such command in the path",
            command("nosuchcommand").build(),
            NOTHING,
            127,
            "ContainerCannotRun",
            "nosuchcommand"));
    all.add(
        new Case(
            "no such interpreter",
            command("/host/no-interpreter").build(),
            NOTHING,
            127,
            "ContainerCannotRun",
            "interpreter"));
    all.add(
        new Case(
            "a program for another machine",
            command("/host/other-machine").build(),
            NOTHING,
            126,
            "ContainerCannotRun",
            "/host/other-machine"));
    all.add(
        new Case(
            "no program at all",
            command("/host/no-format").build(),
            NOTHING,
            126,
            "ContainerCannotRun",
            "/host/no-format"));
    all.add(
        new Case(
            "not executable",
            command("/host/not-executable").build(),
            NOTHING,
            126,
            "ContainerCannotRun",
            "/host/not-executable"));
    all.add(
        new Case(
            "a directory", command("/host").build(), NOTHING, 126, "ContainerCannotRun", "/host"));
    all.add(
        new Case(
            "a working directory that is a file",
            command("true").setWorkingDir("/bin/busybox").build(),
            NOTHING,
            126,
            "ContainerCannotRun",
            "/bin/busybox"));
    all.add(
        new Case(
            "a read-only root",
            secured(
                LinuxContainerSecurityContext.newBuilder().setReadonlyRootfs(true),
                "touch /file || exit 5"),
            NOTHING,
            5,
            "Error",
            ""));
    all.add(
        new Case(
            "a full disk",
            shell("dd if=/dev/zero of=/dev/shm/full bs=1M count=1000 2>/dev/null || exit 6")
                .build(),
            NOTHING,
            6,
            "Error",
            ""));
    all.add(
        new Case(
            "a command that its shell does not find",
            shell("nosuchcommand").build(),
            NOTHING,
            127,
            "Error",
            "not found"));
    all.add(
        new Case(
            "a port in use",
            shell("nc -l -p " + busyPort() + " || exit 7").build(),
            NOTHING,
            7,
            "Error",
            ""));
    all.add(
        new Case(
            "a system call that its profile forbids",
            secured(
                LinuxContainerSecurityContext.newBuilder()
                    .setSeccomp(
                        SecurityProfile.newBuilder()
                            .setProfileType(SecurityProfile.ProfileType.Localhost)
                            .setLocalhostRef(killing().toString())),
                "exec mkdir /forbidden"),
            NOTHING,
            159,
            "Error",
            "ended by SIGSYS: a system call that its seccomp profile"));
    return all;
  }

  private static Path killing() throws IOException {
    return Files.writeString(
        host.resolve("seccomp.json"),
        """
        {"defaultAction": "SCMP_ACT_ALLOW",
         "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_KILL_PROCESS"}]}
        """);
  }

  private static final List<ServerSocket> LISTENING = new ArrayList<>();

  private static int busyPort() throws IOException {
    ServerSocket socket = new ServerSocket(0, 1, InetAddress.getByName("0.0.0.0"));
    LISTENING.add(socket);
    return socket.getLocalPort();
  }

  @AfterAll
  static void closePorts() throws IOException {
    for (ServerSocket socket : LISTENING) {
      socket.close();
    }
  }

  private static void await(String container, String file) {
    for (int i = 0; i < 500; i++) {
      if (cri.exec(container, "test", "-e", file).getExitCode() == 0) {
        return;
      }
      Daemon.sleep(20);
    }
    throw new IllegalStateException(container + " does not get so far");
  }

  /** A signal from the host, of which the daemon knows nothing. */
  private static void kill(String container, String signal) throws Exception {
    Daemon.Result inspected = daemon.jrt("inspect", container);
    String pid = inspected.ok().replaceAll("(?s).*\"pid\" ?: ?\"?(\\d+).*", "$1");
    assertThat(new ProcessBuilder("kill", "-" + signal, pid).start().waitFor()).isZero();
  }

  @ParameterizedTest
  @MethodSource("failures")
  void isToldTruthfully(Case failure) throws Exception {
    String id = cri.create(pod, podConfig, failure.config());
    Optional<StatusRuntimeException> refused = Optional.empty();
    try {
      cri.start(id);
      failure.deed().on(id);
    } catch (StatusRuntimeException e) {
      refused = Optional.of(e);
    }
    ContainerStatus status = cri.awaitExit(id);
    assertThat(status.getReason() + " " + status.getExitCode() + ": " + status.getMessage())
        .startsWith(failure.reason() + " " + failure.code() + ": ")
        .contains(failure.message());
    assertThat(refused.isPresent()).isEqualTo(failure.reason().equals("ContainerCannotRun"));
    String why = daemon.jrt("why", id).ok();
    assertThat(why).contains("exit code " + failure.code()).contains(failure.reason());
    assertThat(why).contains(failure.message());
  }

  /** What cannot even be made. */
  static Stream<Case> refusals() {
    return Stream.of(
        new Case(
            "no such image",
            Cri.container("r", "localhost/no-such-image:1", "true").build(),
            NOTHING,
            0,
            "NOT_FOUND",
            "no-such-image"),
        new Case(
            "no such user",
            secured(LinuxContainerSecurityContext.newBuilder().setRunAsUsername("nosuchuser"), ":"),
            NOTHING,
            0,
            "",
            "nosuchuser"),
        new Case(
            "no such mount source",
            shell(":")
                .addMounts(
                    Mount.newBuilder()
                        .setHostPath("/no/such/source")
                        .setContainerPath("/mnt")
                        .setReadonly(true))
                .build(),
            NOTHING,
            0,
            "",
            "/no/such/source"));
  }

  @ParameterizedTest
  @MethodSource("refusals")
  void isRefusedWithItsReason(Case failure) throws Exception {
    try {
      cri.start(cri.create(pod, podConfig, failure.config()));
      throw new AssertionError("it was started");
    } catch (StatusRuntimeException e) {
      assertThat(e.getStatus().getCode()).isNotEqualTo(Status.Code.INTERNAL);
      assertThat(e.getStatus().getDescription()).contains(failure.message());
    }
    // Nothing of it is left but its story, by its own name and in its pod's.
    for (String word : List.of(failure.config().getMetadata().getName(), pod)) {
      assertThat(daemon.jrt("why", word).ok()).contains(failure.message());
    }
  }

  @Test
  void aStartThatFailedIsToldByTheNameAlsoWhenNothingOfItIsLeft() throws Exception {
    String name = "gone" + System.nanoTime();
    Daemon.Result run = daemon.jrt("run", "-d", "--name", name, image, "/no/such/program");
    assertThat(run.code()).isEqualTo(127);
    assertThat(daemon.jrt("ps", "-a").ok()).doesNotContain(name);
    for (String word : List.of(name, name + "/" + name)) {
      assertThat(daemon.jrt("why", word).ok())
          .startsWith(word + " is gone: its start failed with exit code 127 (ContainerCannotRun)")
          .contains("/no/such/program")
          .contains("container " + name + " was created from " + image)
          .contains("it was removed");
    }
    Daemon.Result never = daemon.jrt("why", name + "x");
    assertThat(never.code()).isNotZero();
    assertThat(never.err()).contains("no pod " + name + "x");
  }

  @Test
  void aFailingExecSaysWhatItsCommandLacks() {
    String id = cri.run(pod, podConfig, shell("exec sleep 1000").build());
    assertThat(cri.exec(id, "sh", "-c", "exit 9").getExitCode()).isEqualTo(9);
    try {
      assertThat(cri.exec(id, "nosuchcommand").getExitCode()).isEqualTo(127);
    } catch (StatusRuntimeException e) {
      assertThat(e.getStatus().getDescription()).contains("nosuchcommand");
    }
    cri.stop(id, 0);
  }
}
