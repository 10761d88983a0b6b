package io.jrt.core.life;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrt.core.CapabilityChanges;
import io.jrt.core.ContainerConfig;
import io.jrt.core.ContainerSecurity;
import io.jrt.core.Deadline;
import io.jrt.core.NamespaceMode;
import io.jrt.core.PodConfig;
import io.jrt.core.SecurityProfile;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.events.ContainerEvent;
import io.jrt.events.Recorded;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The filters of containers, from the profile to what a process in one gets as an answer. */
class SeccompInContainersIT {
  private static Deadline later() {
    return Deadline.after(RuntimeLab.SOON.multipliedBy(3));
  }

  /**
   * What the default profile says to a call of a process with the usual capabilities and of one
   * with CAP_SYS_ADMIN, too; {@code +} let through, {@code -} EPERM, {@code 0} ENOSYS, {@code *}
   * what this kernel says without a filter: older ones took CAP_SYS_ADMIN for CAP_SYSLOG. At the
   * end the capability that lets the call through, if there is one.
   */
  private static final String TABLE =
      """
      getpid                   +  +
      clone3                   0  +
      unshare                  -  +
      mount                    -  +
      umount2                  -  +
      pivot_root               -  -
      setns                    -  +
      open_tree                -  +
      move_mount               -  +
      fsopen                   -  +
      bpf                      -  +
      perf_event_open          -  +
      quotactl                 -  +
      setdomainname            -  +
      sethostname              -  +
      fanotify_init            -  +
      keyctl                   -  -
      add_key                  -  -
      request_key              -  -
      userfaultfd              -  -
      kexec_load               -  -
      init_module              -  -
      finit_module             -  -
      delete_module            -  -
      reboot                   -  -  SYS_BOOT
      chroot                   +  +
      acct                     -  -  SYS_PACCT
      settimeofday             -  -  SYS_TIME
      clock_settime            -  -  SYS_TIME
      iopl                     -  -  SYS_RAWIO
      ioperm                   -  -  SYS_RAWIO
      vhangup                  -  -  SYS_TTY_CONFIG
      syslog                   -  *  SYSLOG
      open_by_handle_at        -  -  DAC_READ_SEARCH
      swapon                   -  -
      swapoff                  -  -
      nfsservctl               -  -
      io_uring_setup           -  -
      io_uring_enter           -  -
      io_uring_register        -  -
      """;

  private RuntimeLab lab;

  @BeforeEach
  void open() throws Exception {
    lab = new RuntimeLab();
  }

  @AfterEach
  void close() throws Exception {
    lab.close();
  }

  private ContainerConfig with(
      ContainerConfig plain, SecurityProfile profile, List<String> capabilities) {
    ContainerSecurity security = plain.security();
    return Configs.with(
        plain,
        new ContainerSecurity(
            new CapabilityChanges(capabilities, List.of(), List.of()),
            false,
            security.namespaces(),
            security.selinux(),
            security.runAsUser(),
            security.runAsGroup(),
            security.runAsUserName(),
            false,
            List.of(),
            security.supplementalGroupsPolicy(),
            security.noNewPrivileges(),
            security.maskedPaths(),
            security.readonlyPaths(),
            Optional.of(profile),
            security.apparmor()),
        Optional.empty());
  }

  private String explainedPod() {
    PodConfig plain = lab.pod(NamespaceMode.POD, NamespaceMode.CONTAINER);
    return lab.runtime()
        .runPod(
            new PodConfig(
                plain.metadata(),
                plain.hostname(),
                plain.logDirectory(),
                plain.dns(),
                plain.portMappings(),
                plain.labels(),
                Map.of(DeniedCalls.ANNOTATION, "true"),
                plain.cgroupParent(),
                plain.security(),
                plain.sysctls(),
                Optional.empty(),
                Optional.empty()),
            "",
            later());
  }

  private List<ContainerEvent.CallDenied> denied() {
    return lab.runtime().events().history(Instant.EPOCH, 1000).stream()
        .map(Recorded::event)
        .filter(ContainerEvent.CallDenied.class::isInstance)
        .map(ContainerEvent.CallDenied.class::cast)
        .toList();
  }

  private void awaitDenied(String call) throws InterruptedException {
    long until = System.nanoTime() + RuntimeLab.SOON.toNanos();
    while (denied().stream().noneMatch(event -> event.systemCall().equals(call))) {
      assertThat(System.nanoTime()).as("no event of " + call + ": " + denied()).isLessThan(until);
      Thread.sleep(20);
    }
  }

  @Test
  void deniedCallOfAnExplainedPodIsToldByItsName() throws Exception {
    String quiet =
        lab.start(
            lab.runPod(),
            with(
                lab.container("quiet", "busybox unshare -m true; sleep 1000"),
                SecurityProfile.RUNTIME_DEFAULT,
                List.of()));
    String container =
        lab.start(
            explainedPod(),
            with(
                lab.container("told", "busybox unshare -m true; sleep 1000"),
                SecurityProfile.RUNTIME_DEFAULT,
                List.of()));
    awaitDenied("unshare");
    assertThat(denied())
        .allSatisfy(event -> assertThat(event.containerId()).isEqualTo(container))
        .noneSatisfy(event -> assertThat(event.containerId()).isEqualTo(quiet));

    lab.restart();
    assertThat(lab.exec(container, "busybox", "umount", "/proc")).contains("not permitted");
    awaitDenied("umount2");
  }

  @Test
  void profileThatHandsCallsToASupervisorIsRefusedAtCreation() throws Exception {
    Path profile = lab.directory.resolve("notify.json");
    Files.writeString(
        profile,
        """
        {"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/run/agent.sock",
         "syscalls": [{"names": ["mount"], "action": "SCMP_ACT_NOTIFY"}]}
        """);
    String pod = lab.runPod();
    assertThatThrownBy(
            () ->
                lab.runtime()
                    .createContainer(
                        pod,
                        with(
                            lab.container("c", "true"),
                            new SecurityProfile(SecurityProfile.Type.LOCALHOST, profile.toString()),
                            List.of()),
                        later()))
        .isInstanceOfSatisfying(
            JrtException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.UNIMPLEMENTED))
        .hasMessageContaining("SCMP_ACT_NOTIFY")
        .hasMessageContaining("/run/agent.sock");
  }

  @Test
  void localhostProfileHolds() throws Exception {
    Path profile = lab.directory.resolve("nomkdir.json");
    Files.writeString(
        profile,
        """
        {"defaultAction": "SCMP_ACT_ALLOW",
         "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28}]}
        """);
    String container =
        lab.start(
            lab.runPod(),
            with(
                lab.container("c", "busybox mkdir /d 2>&1; echo $?"),
                new SecurityProfile(SecurityProfile.Type.LOCALHOST, profile.toString()),
                List.of()));
    lab.awaitExit(container);
    assertThat(String.join(" ", lab.log("c"))).contains("No space left on device");
  }

  @Test
  void defaultProfileAnswersEachCallAsTheTableSays() throws Exception {
    Path probe =
        SyscallProbe.build(
            lab.directory, TABLE.lines().map(line -> line.trim().split(" +")[0]).toList());
    String pod = lab.runPod();
    String plain = runProbe(pod, probe, "plain", List.of());
    String admin = runProbe(pod, probe, "admin", List.of("SYS_ADMIN"));
    Path syslog =
        SyscallProbe.build(Files.createDirectory(lab.directory.resolve("bare")), List.of("syslog"));
    String bare = runProbe(pod, syslog, "bare", SecurityProfile.UNCONFINED, List.of("SYS_ADMIN"));
    for (String line : TABLE.lines().toList()) {
      String[] cells = line.trim().split(" +");
      if (cells[2].equals("*")) {
        assertThat(answer(admin, cells[0])).as(cells[0]).isEqualTo(answer(bare, cells[0]));
      } else {
        assertAnswer(admin, "with SYS_ADMIN", cells[0], cells[2]);
      }
      assertAnswer(plain, "without", cells[0], cells[1]);
      if (cells.length > 3) {
        String own = runProbe(pod, probe, cells[0].replace('_', '-'), List.of(cells[3]));
        assertAnswer(own, "with " + cells[3], cells[0], "+");
      }
    }
  }

  private String runProbe(String pod, Path probe, String name, List<String> capabilities)
      throws IOException, InterruptedException {
    return runProbe(pod, probe, name, SecurityProfile.RUNTIME_DEFAULT, capabilities);
  }

  private String runProbe(
      String pod, Path probe, String name, SecurityProfile profile, List<String> capabilities)
      throws IOException, InterruptedException {
    ContainerConfig config =
        with(lab.container(name, "/probe"), profile, capabilities)
            .withMounts(List.of(io.jrt.core.MountConfig.bind(probe.toString(), "/probe", true)));
    String container = lab.start(pod, config);
    assertThat(lab.awaitExit(container).cause().code()).as(name + lab.log(name)).isZero();
    String output = String.join("\n", lab.log(name)) + "\n";
    lab.runtime().removeContainer(container, Deadline.after(Duration.ofSeconds(20)));
    return output;
  }

  private static String answer(String output, String call) {
    return output
        .lines()
        .filter(line -> line.startsWith(call + " "))
        .findFirst()
        .orElse(call + " missing")
        .split(" ")[1];
  }

  private static void assertAnswer(String output, String who, String call, String expected) {
    String answer = answer(output, call);
    String seen =
        switch (answer) {
          case "EPERM" -> "-";
          // A kernel may not have a call that the filter lets through.
          case "ENOSYS" -> expected.equals("+") ? "+" : "0";
          default -> "+";
        };
    assertThat(seen).as(call + " " + who + ": " + answer).isEqualTo(expected);
  }
}
