package io.jrt.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.grpc.StatusRuntimeException;
import io.jrt.cri.v1.Capability;
import io.jrt.cri.v1.ContainerConfig;
import io.jrt.cri.v1.ContainerStatus;
import io.jrt.cri.v1.Int64Value;
import io.jrt.cri.v1.KeyValue;
import io.jrt.cri.v1.LinuxContainerConfig;
import io.jrt.cri.v1.LinuxContainerSecurityContext;
import io.jrt.cri.v1.Mount;
import io.jrt.cri.v1.NamespaceMode;
import io.jrt.cri.v1.NamespaceOption;
import io.jrt.cri.v1.PodSandboxConfig;
import io.jrt.cri.v1.SupplementalGroupsPolicy;
import io.jrt.it.TestImage.Packing;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Known classes of vulnerabilities of container runtimes, each through the CRI socket of a whole
 * daemon, and named after a case of it. The sentinel is a directory of the node that nobody was
 * given.
 */
class HostileIT {
  @TempDir private static Path directory;
  private static LocalRegistry registry;
  private static Daemon daemon;
  private static byte[] base;
  private static String busybox;
  private static Path logs;
  private Path sentinel;
  private static int number;
  private Cri cri;
  private PodSandboxConfig podConfig;
  private String pod;
  private String corePattern;

  @BeforeAll
  static void start() throws IOException, InterruptedException {
    registry = LocalRegistry.start(directory);
    base = Workloads.busyboxLayer();
    busybox = registry.push("it/busybox", "1", Workloads.busybox());
    daemon = Daemon.start();
    logs = Files.createDirectory(daemon.home().resolve("logs"));
    daemon.cri().pull(busybox);
  }

  @AfterAll
  static void stop() throws IOException {
    daemon.close();
    registry.close();
  }

  @BeforeEach
  void pod() throws IOException {
    sentinel = Files.createDirectory(daemon.home().resolve("sentinel" + number));
    corePattern = Files.readString(Path.of("/proc/sys/kernel/core_pattern"));
    cri = daemon.cri();
    number++;
    podConfig = Cri.pod("hostile" + number, NamespaceMode.POD, logs).build();
    pod = cri.runPod(podConfig);
  }

  @AfterEach
  void nothingOfTheNodeWasTouched() throws IOException {
    cri.removePod(pod);
    assertThat(sentinel).isEmptyDirectory();
    assertThat(Path.of("/proc/sys/kernel/core_pattern")).hasContent(corePattern.strip());
  }

  private String image(Map<String, Object> changes, LayerBuilder more) throws IOException {
    Map<String, Object> config = new HashMap<>(Workloads.config(List.of("sh")));
    config.putAll(changes);
    String name =
        registry.push(
            "it/hostile" + number,
            "1",
            TestImage.of(config, Packing.GZIP, List.of(base, more.tar())));
    cri.pull(name);
    return name;
  }

  private static ContainerConfig.Builder secured(
      ContainerConfig.Builder config, LinuxContainerSecurityContext.Builder context) {
    return config.setLinux(
        LinuxContainerConfig.newBuilder()
            .setSecurityContext(
                context.setNamespaceOptions(
                    NamespaceOption.newBuilder().setPid(NamespaceMode.CONTAINER))));
  }

  /** Runs it to its end, if it can be started at all; its log, or why it was refused. */
  private String outcome(ContainerConfig.Builder config) throws IOException {
    try {
      String id = cri.run(pod, podConfig, config.build());
      cri.awaitExit(id);
    } catch (StatusRuntimeException refused) {
      return "refused: " + refused.getStatus().getDescription();
    }
    Path log = logs.resolve("hostile" + number).resolve(config.getLogPath());
    return Files.exists(log) ? Files.readString(log) : "";
  }

  private String shell(String image, String script) throws IOException {
    return outcome(Cri.container("c", image, "sh", "-c", script));
  }

  @Test
  void cve20195736_runtimeIsTheEntrypointAndStaysAsItWas() throws IOException {
    Path helper = Daemon.programs().resolveSibling("libexec/jrt-init");
    byte[] before = Files.readAllBytes(helper);
    // It runs the helper's sealed copy, as the first process of a pod does, and nothing of the
    // node.
    String self =
        cri.run(
            pod, podConfig, Cri.container("self", busybox, "/proc/self/exe", "podinit").build());
    cri.stop(self, 0);
    String said =
        shell(
            busybox,
            "for p in /proc/[0-9]*; do echo x 2>/dev/null >>$p/exe && echo WROTE $p; done; echo"
                + " done");
    // The shell's own program is the container's; what counts is the node's.
    assertThat(said).contains("done");
    assertThat(Files.readAllBytes(helper)).isEqualTo(before);
  }

  @Test
  void cve202421626_descriptorsOfTheNodeDoNotLeak() throws IOException {
    String id =
        cri.run(
            pod,
            podConfig,
            Cri.container("c", busybox, "sh", "-c", "ls -l /proc/self/fd; sleep 1000").build());
    String exec = cri.exec(id, "ls", "/proc/self/fd").getStdout().toStringUtf8();
    // The fourth is the one of the directory that ls reads.
    assertThat(exec.lines()).hasSizeLessThanOrEqualTo(4);
    for (int n = 3; n < 12; n++) {
      String refused =
          outcome(
              Cri.container("cwd" + n, busybox, "cat", "../../../../etc/hostname")
                  .setWorkingDir("/proc/self/fd/" + n));
      assertThat(refused).contains("refused: ").contains("working directory");
    }
  }

  @Test
  void cve202531133_nullDeviceOfTheImageMasksNothing() throws IOException {
    String image =
        image(Map.of(), new LayerBuilder().symlink("dev/null", "/proc/sys/kernel/core_pattern"));
    String said =
        outcome(
            secured(
                Cri.container(
                    "c",
                    image,
                    "sh",
                    "-c",
                    "echo hostile >/proc/version; stat -c %t:%T /proc/version"),
                LinuxContainerSecurityContext.newBuilder().addMaskedPaths("/proc/version")));
    assertThat(said)
        .satisfiesAnyOf(
            text -> assertThat(text).contains("1:3"), text -> assertThat(text).contains("refused"));
  }

  @Test
  void cve202552565_consoleOfTheImageIsNotFollowed() throws IOException {
    String image =
        image(Map.of(), new LayerBuilder().symlink("dev/console", "/proc/sys/kernel/core_pattern"));
    outcome(Cri.container("c", image, "sh", "-c", "echo hostile >/dev/console").setTty(true));
  }

  @Test
  void cve201919921_procOfTheImageIsNoWayRound() throws IOException {
    String image = image(Map.of(), new LayerBuilder().symlink("proc", sentinel.toString()));
    assertThat(shell(image, "true")).contains("refused");
  }

  @Test
  void cve202641579_devOfTheImageLeadsNowhere() throws IOException {
    for (String target : List.of(sentinel.toString(), "../../../../../../../.." + sentinel)) {
      number++;
      podConfig = Cri.pod("hostile" + number, NamespaceMode.POD, logs).build();
      cri.removePod(pod);
      pod = cri.runPod(podConfig);
      shell(image(Map.of(), new LayerBuilder().symlink("dev", target)), "echo x >/dev/made");
      assertThat(sentinel).isEmptyDirectory();
    }
  }

  @Test
  void cve202445310_destinationsThroughLinksMakeNothingOnTheNode() throws IOException {
    Path source = Files.createDirectory(daemon.home().resolve("source"));
    String image =
        image(
            Map.of(),
            new LayerBuilder()
                .symlink("data", sentinel.toString())
                .symlink("up", "../../../../../../../../../.." + sentinel));
    for (String destination : List.of("/data/a/b", "/up/c/d")) {
      outcome(
          Cri.container(
                  "c" + destination.length(), image, "sh", "-c", "touch " + destination + "/x")
              .addMounts(
                  Mount.newBuilder().setHostPath(source.toString()).setContainerPath(destination)));
      assertThat(sentinel).isEmptyDirectory();
    }
  }

  @Test
  void cve202223648_volumesOfTheImageAreMadeInside() throws IOException {
    String image =
        image(
            Map.of(
                "Volumes", Map.of("/../../.." + sentinel + "/made", Map.of(), "/link/x", Map.of())),
            new LayerBuilder().symlink("link", sentinel.toString()));
    outcome(
        secured(
            Cri.container("c", image, "true"),
            LinuxContainerSecurityContext.newBuilder().setReadonlyRootfs(true)));
  }

  @Test
  void cve202325809_controlGroupsAreReadOnly() throws IOException {
    String said =
        shell(
            busybox,
            "for d in /sys/fs/cgroup /sys/fs/cgroup/*; do"
                + " mkdir $d/hostile 2>/dev/null && echo MADE $d;"
                + " echo 1 2>/dev/null >$d/cgroup.procs && echo WROTE $d; done; echo done");
    assertThat(said).contains("done").doesNotContain("MADE").doesNotContain("WROTE");
  }

  @Test
  void cve202440635_userIdsThatOverflowAreRefused() throws IOException {
    for (String user : List.of("4294967296", "2147483648:0", "-1", "0:4294967296")) {
      number++;
      String image = image(Map.of("User", user), new LayerBuilder().file("x", 0644, user));
      assertThat(shell(image, "id -u")).as(user).contains("refused");
    }
  }

  @Test
  void cve20224318_environmentMakesNoAccounts() throws IOException {
    for (String home : List.of("/x\nroot2::0:0::/:/bin/sh", "/x\\nroot2::0:0::/:/bin/sh")) {
      String said =
          outcome(
              Cri.container("c" + home.length(), busybox, "cat", "/etc/passwd")
                  .addEnvs(
                      KeyValue.newBuilder().setKey("HOME").setValue(ByteString.copyFromUtf8(home)))
                  .addEnvs(
                      KeyValue.newBuilder()
                          .setKey("USER")
                          .setValue(ByteString.copyFromUtf8(home))));
      assertThat(said).doesNotContain("root2");
    }
  }

  @Test
  void cve20220811_sysctlsCarryNoOther() {
    for (String value : List.of("1+kernel.core_pattern=x", "1\nkernel.core_pattern=x")) {
      PodSandboxConfig.Builder config = Cri.pod("sysctl", NamespaceMode.POD, logs);
      config.getLinuxBuilder().putSysctls("net.ipv4.ip_unprivileged_port_start", value);
      assertThatThrownBy(() -> cri.runPod(config.build()))
          .isInstanceOf(StatusRuntimeException.class);
    }
    PodSandboxConfig.Builder config = Cri.pod("sysctl", NamespaceMode.POD, logs);
    config.getLinuxBuilder().putSysctls("kernel.core_pattern", "|/x");
    assertThatThrownBy(() -> cri.runPod(config.build())).isInstanceOf(StatusRuntimeException.class);
  }

  @Test
  void cve202653488_labelsOfTheImageDoNotBecomeTheContainers() throws IOException {
    Map<String, String> labels =
        Map.of(
            "io.kubernetes.cri.sandbox-id", "x",
            "containerd.io/restart.status", "running",
            "jrt.io/writable-layer-limit", "1",
            "jrt.io/explain-seccomp", "true",
            "io.kubernetes.pod.name", "other",
            "org.systemd.property.TimeoutStopUSec", "1");
    String image = image(Map.of("Labels", labels), new LayerBuilder().file("x", 0644, "x"));
    String id =
        cri.run(
            pod,
            podConfig,
            Cri.container("c", image, "sh", "-c", "dd if=/dev/zero of=/x bs=1M count=2; sleep 1000")
                .putLabels("mine", "1")
                .build());
    ContainerStatus status = cri.status(id);
    assertThat(status.getLabelsMap()).containsExactly(Map.entry("mine", "1"));
    assertThat(status.getAnnotationsMap()).isEmpty();
  }

  @Test
  void cve20243154_annotationsAreNoPropertiesOfServices() {
    PodSandboxConfig config =
        Cri.pod("annotated", NamespaceMode.POD, logs)
            .putAnnotations("org.systemd.property.ExecStartPre", "'/bin/touch " + sentinel + "/x'")
            .putAnnotations("io.kubernetes.cri-o.userns-mode", "private")
            .putAnnotations("run.oci.keep_original_groups", "1")
            .build();
    String annotated = cri.runPod(config);
    String id = cri.run(annotated, config, Cri.container("c", busybox, "true").build());
    assertThat(cri.awaitExit(id).getExitCode()).isZero();
    cri.removePod(annotated);
  }

  @Test
  void cve20245154_mtabOfTheImageIsNotWritten() throws IOException {
    String image =
        image(
            Map.of(),
            new LayerBuilder().symlink("etc/mtab", "../../../../../.." + sentinel + "/mtab"));
    shell(image, "cat /etc/mtab");
  }

  @Test
  void cve20250750_logsStayInTheirDirectory() throws IOException {
    for (String path : List.of("../../x.log", sentinel + "/x.log", "a/../../../x.log")) {
      assertThat(outcome(Cri.container("c" + path.length(), busybox, "true").setLogPath(path)))
          .as(path)
          .contains("refused");
    }
    assertThat(logs.resolve("x.log")).doesNotExist();
    assertThat(daemon.home().resolve("x.log")).doesNotExist();
  }

  @Test
  void cve202015257_noAbstractSocketLeadsToTheRuntime() throws IOException {
    PodSandboxConfig config = Cri.pod("host", NamespaceMode.NODE, logs).build();
    String host = cri.runPod(config);
    String id =
        cri.run(host, config, Cri.container("c", busybox, "sh", "-c", "sleep 1000").build());
    String sockets = cri.exec(id, "cat", "/proc/net/unix").getStdout().toStringUtf8();
    assertThat(sockets.lines().filter(line -> line.contains(" @") && line.contains("jrt")))
        .isEmpty();
    cri.removePod(host);
  }

  @Test
  void cve202141103_stateOfTheDaemonIsClosedToOthers() throws Exception {
    String id = cri.run(pod, podConfig, Cri.container("c", busybox, "sleep", "1000").build());
    List<String> open = new ArrayList<>();
    for (String top : List.of("root", "state")) {
      try (Stream<Path> files = Files.walk(daemon.home().resolve(top), 2)) {
        for (Path file : files.toList()) {
          if (Files.isDirectory(file, LinkOption.NOFOLLOW_LINKS)) {
            int mode = (Integer) Files.getAttribute(file, "unix:mode", LinkOption.NOFOLLOW_LINKS);
            if ((mode & 022) != 0) {
              open.add("writable " + file);
            }
          }
        }
      }
    }
    assertThat(open).isEmpty();
    // A stranger's way to anything that belongs to the container, or to the socket.
    assertThat(
            asStranger(
                "find "
                    + daemon.home()
                    + "/root "
                    + daemon.home()
                    + "/state"
                    + " -mindepth 1 \\( -readable -o -writable \\) -print 2>/dev/null | head"))
        .isEmpty();
    assertThat(id).isNotEmpty();
  }

  private static String asStranger(String script) throws IOException, InterruptedException {
    // Others may pass through the test's own directory, so that only the daemon's modes count.
    Files.setPosixFilePermissions(
        daemon.home(), java.nio.file.attribute.PosixFilePermissions.fromString("rwxr-xr-x"));
    Process process =
        new ProcessBuilder(
                "setpriv", "--reuid=1000", "--regid=1000", "--clear-groups", "sh", "-c", script)
            .redirectErrorStream(true)
            .start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    process.waitFor(60, TimeUnit.SECONDS);
    return said;
  }

  @Test
  void cve202231030_outputOfACommandIsCutAndTakesLittleMemory() throws IOException {
    String id = cri.run(pod, podConfig, Cri.container("c", busybox, "sleep", "1000").build());
    cri.exec(id, "true");
    long before = resident();
    long length =
        cri.exec(id, "sh", "-c", "dd if=/dev/zero bs=1M count=1000 2>/dev/null").getStdout().size();
    assertThat(length).isLessThanOrEqualTo(16 << 20);
    assertThat(resident() - before).isLessThan(200 << 20);
  }

  private static long resident() throws IOException {
    return Files.readAllLines(Path.of("/proc/" + daemon.pid() + "/status")).stream()
        .filter(line -> line.startsWith("VmRSS:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
        .findFirst()
        .orElse(0);
  }

  @Test
  void cve202630892_idsAreExactInTheContainerAndInItsCommands() throws IOException {
    String image = registry.push("it/groups", "1", predefinedGroup());
    cri.pull(image);
    String ids = "id; grep -E '^(Uid|Gid|Groups|Cap...):' /proc/self/status";
    String id =
        cri.run(
            pod,
            podConfig,
            secured(
                    Cri.container("c", image, "sh", "-c", ids + "; sleep 1000"),
                    LinuxContainerSecurityContext.newBuilder()
                        .setRunAsUser(Int64Value.newBuilder().setValue(1234))
                        .setRunAsGroup(Int64Value.newBuilder().setValue(4321))
                        .addSupplementalGroups(777)
                        .setSupplementalGroupsPolicy(SupplementalGroupsPolicy.Strict))
                .build());
    String inside = cri.exec(id, "sh", "-c", ids).getStdout().toStringUtf8();
    assertThat(inside)
        .contains("uid=1234 gid=4321 groups=777,4321")
        .contains("Uid:\t1234\t1234\t1234\t1234\n")
        .contains("Gid:\t4321\t4321\t4321\t4321\n");
    // CVE-2022-24769, CVE-2022-27650: nothing to inherit, and nothing for who is not root.
    for (String set : List.of("CapInh", "CapPrm", "CapEff", "CapAmb")) {
      assertThat(inside).contains(set + ":\t0000000000000000\n");
    }
    // CVE-2023-25173: the image's own group file adds none.
    assertThat(inside).doesNotContain("50000");
    String log =
        Files.readString(logs.resolve("hostile" + number).resolve("c.log"))
            .replaceAll("(?m)^\\S+ stdout F ", "");
    assertThat(log).isEqualTo(inside);
  }

  private static TestImage predefinedGroup() {
    try {
      return Workloads.predefinedGroup();
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Half a million accounts and two million members, in each of many containers at once. */
  @Test
  void accountFilesOfAnyContentFillNoMemory() throws Exception {
    int size = (4 << 20) - 100;
    String users = "a:x:1:1::/:\n".repeat(size / 12) + "wanted:x:7:8::/:\n";
    String groups = "g:x:5:" + "a,".repeat(size / 4) + "wanted\n" + "h:x:1:a\n".repeat(size / 16);
    String image =
        image(
            Map.of("User", "wanted:h"),
            new LayerBuilder()
                .file("etc/passwd", 0644, users.getBytes(StandardCharsets.UTF_8))
                .file("etc/group", 0644, groups.getBytes(StandardCharsets.UTF_8)));
    List<Future<String>> made = new ArrayList<>();
    try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 24; i++) {
        ContainerConfig config = Cri.container("c" + i, image, "sleep", "1000").build();
        made.add(executor.submit(() -> cri.create(pod, podConfig, config)));
      }
    }
    String id = made.getFirst().get();
    for (Future<String> each : made) {
      each.get();
    }
    assertThat(daemon.hasEnded()).isFalse();
    cri.start(id);
    assertThat(cri.exec(id, "id").getStdout().toStringUtf8())
        .contains("uid=7(wanted) gid=1(h) groups=1(h),5(g)");
  }

  @Test
  void whoIsInTooManyGroupsIsRefused() throws IOException {
    StringBuilder groups = new StringBuilder();
    for (int i = 1; i <= 5000; i++) {
      groups.append("g:x:").append(i).append(":root\n");
    }
    String image =
        image(
            Map.of(),
            new LayerBuilder()
                .file("etc/group", 0644, groups.toString().getBytes(StandardCharsets.UTF_8)));
    assertThatThrownBy(() -> cri.create(pod, podConfig, Cri.container("c", image, "true").build()))
        .hasMessageContaining(
            "INVALID_ARGUMENT: decide user: user \"root\" is a member of more than 4096 groups of"
                + " the container's group file");
  }

  @Test
  void memoryOfTheDaemonIsSeenByNoContainerAndIsNotKilledWithOne() throws IOException {
    long daemonsPid = daemon.pid();
    // It looks at every process that it can see, all the time, for one that maps what the daemon
    // maps: its program, its Java runtime, its cache.
    String look =
        "while :; do for p in /proc/[0-9]*; do"
            + " grep -q -e libjvm -e jrtd.aot -e jrt/root $p/maps 2>/dev/null && echo SEEN $p;"
            + " ls -l $p/exe 2>/dev/null | grep -q java && echo SEEN $p; done; done";
    String id =
        cri.run(
            pod,
            podConfig,
            secured(
                    Cri.container("c", busybox, "sh", "-c", look),
                    LinuxContainerSecurityContext.newBuilder()
                        .setCapabilities(Capability.newBuilder().addAddCapabilities("SYS_PTRACE")))
                .build());
    for (int i = 0; i < 60; i++) {
      assertThat(cri.exec(id, "true").getExitCode()).isZero();
    }
    assertThat(Files.readString(logs.resolve("hostile" + number).resolve("c.log"))).isEmpty();

    // And a container whose memory is full, in which commands are started again and again.
    ContainerConfig.Builder full =
        Cri.container(
            "full", busybox, "sh", "-c", "dd if=/dev/zero of=/dev/shm/x bs=1M; sleep 1000");
    full.getLinuxBuilder()
        .getResourcesBuilder()
        .setMemoryLimitInBytes(16 << 20)
        .setMemorySwapLimitInBytes(16 << 20);
    String crowded = cri.run(pod, podConfig, full.build());
    for (int i = 0; i < 20; i++) {
      try {
        cri.exec(crowded, "true");
      } catch (StatusRuntimeException refused) {
        assertThat(refused.getStatus().getDescription()).isNotEmpty();
      }
    }
    assertThat(daemon.pid()).isEqualTo(daemonsPid);
    assertThat(ProcessHandle.of(daemonsPid)).hasValueSatisfying(ProcessHandle::isAlive);
    assertThat(cri.exec(id, "true").getExitCode()).isZero();
  }

  @Test
  void strangersReachNoSocketOfTheDaemon() throws Exception {
    assertThat(asStranger("ls " + daemon.socket() + " >/dev/null && echo there"))
        .as("they may see it, or not")
        .isNotNull();
    // The stranger's client tells what became of it.
    String said =
        asStranger(
            "JRT_SOCKET="
                + daemon.socket()
                + " "
                + Daemon.programs().resolve("jrt")
                + " ps; perl -MIO::Socket::UNIX -e 'print IO::Socket::UNIX->new(Peer => $ARGV[0]) ?"
                + " \"CONNECTED\" : \"refused: $!\"' "
                + daemon.socket());
    assertThat(said).contains("refused: Permission denied").doesNotContain("CONNECTED");
  }

  @Test
  void floodOfLogsHoldsUpNobodyElse() throws IOException {
    String flood =
        cri.run(pod, podConfig, Cri.container("flood", busybox, "sh", "-c", "yes flood").build());
    for (int n = 0; n < 5; n++) {
      String other =
          cri.run(pod, podConfig, Cri.container("other" + n, busybox, "echo", "hello").build());
      assertThat(cri.awaitExit(other).getExitCode()).isZero();
      assertThat(Files.readString(logs.resolve("hostile" + number).resolve("other" + n + ".log")))
          .contains("stdout F hello");
    }
    cri.stop(flood, 0);
  }
}
