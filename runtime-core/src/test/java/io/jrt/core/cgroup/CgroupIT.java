package io.jrt.core.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Fd;
import io.jrt.linux.Kernel;
import io.jrt.linux.OpenFlags;
import io.jrt.linux.Pipe;
import io.jrt.linux.SpawnRequest;
import io.jrt.linux.WaitResult;
import io.jrt.security.DeviceRule;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;

/** On the machine's own cgroups, whatever version they are. */
class CgroupIT {
  private static final Duration SOON = Duration.ofSeconds(10);
  private static final DeviceRule NOTHING =
      new DeviceRule(false, 'a', DeviceRule.ANY, DeviceRule.ANY, "rwm");

  private final Kernel kernel = Kernel.open();
  private final String top = "/jrt-test-" + ProcessHandle.current().pid() + "-" + System.nanoTime();
  private final CgroupManager manager = CgroupManager.detect(kernel);

  static boolean hybrid() {
    return java.nio.file.Files.exists(Path.of("/sys/fs/cgroup/unified/cgroup.procs"));
  }

  @AfterEach
  void removeAll() {
    Optional<Cgroup> cgroup = manager.find(top);
    cgroup.ifPresent(c -> c.killAll(SOON));
    cgroup.ifPresent(Cgroup::remove);
    if (hybrid()) {
      new UnifiedManager(kernel, Path.of("/sys/fs/cgroup/unified"))
          .find(top)
          .ifPresent(Cgroup::remove);
    }
  }

  /** A shell that joins the cgroup and then runs the script. */
  private Shell shell(Cgroup cgroup, String script) {
    try (OpenPlacement open = cgroup.placement();
        Pipe hold = kernel.files().pipe2(0)) {
      Map<Integer, Fd> fds = new HashMap<>();
      StringBuilder text = new StringBuilder();
      int next = 10;
      for (Fd procs : open.placement().v1Tasks()) {
        fds.put(next, procs);
        text.append("echo 0 >&").append(next++).append("; ");
      }
      Fd unified = open.placement().unified();
      if (unified != null) {
        fds.put(next, unified);
        text.append("echo 0 > /proc/self/fd/").append(next).append("/cgroup.procs; ");
      }
      fds.put(3, hold.write());
      text.append("echo >&3; exec 3>&-; ").append(script);
      int pid =
          kernel
              .processes()
              .spawn(SpawnRequest.of("/bin/bash", fds, "bash", "-c", text.toString()));
      hold.write().close();
      assertThat(kernel.files().read(hold.read(), ByteBuffer.allocate(1))).isEqualTo(1);
      return new Shell(pid, kernel.processes().pidfdOpen(pid));
    }
  }

  private record Shell(int pid, Fd pidfd) {}

  private WaitResult end(Shell shell) {
    try (Fd pidfd = shell.pidfd()) {
      return kernel.processes().waitFor(pidfd);
    }
  }

  @Test
  void killReachesEveryDescendantAndNothingIsLeft() {
    Cgroup cgroup = manager.create(top + "/pod/c1", Resources.NONE);
    Shell shell = shell(cgroup, "for i in 1 2 3; do (sleep 1000 & sleep 1000) & done; wait");
    assertThat(cgroup.isPopulated()).isTrue();
    assertThat(cgroup.processes()).contains(shell.pid());
    assertThatThrownBy(() -> manager.create(top + "/pod/c1", Resources.NONE))
        .isInstanceOfSatisfying(
            JrtException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.ALREADY_EXISTS));
    cgroup.killAll(SOON);
    assertThat(cgroup.processes()).isEmpty();
    assertThat(end(shell)).isEqualTo(new WaitResult.Signaled(9, false));
    assertThat(manager.children(top)).containsExactly("pod");
    manager.find(top).orElseThrow().remove();
    assertThat(manager.find(top)).isEmpty();
  }

  @Test
  void frozenProcessesStandStillAndGoOn() {
    Cgroup cgroup = manager.create(top, Resources.NONE);
    Shell shell = shell(cgroup, "while :; do :; done");
    cgroup.freeze(SOON);
    assertThat(cgroup.isFrozen()).isTrue();
    long still = cgroup.stats().cpu().orElseThrow().usageNanos();
    Pause.of(Duration.ofMillis(50), Duration.ofSeconds(1));
    assertThat(cgroup.stats().cpu().orElseThrow().usageNanos() - still)
        .isLessThan(Duration.ofMillis(10).toNanos());
    cgroup.thaw();
    assertThat(Pause.until(SOON, () -> cgroup.stats().cpu().orElseThrow().usageNanos() > still))
        .isTrue();
    cgroup.killAll(SOON);
    end(shell);
  }

  @Test
  void theKernelsKillForMemoryIsCounted() {
    Cgroup cgroup =
        manager.create(top, Resources.NONE.withMemory(new Resources.Memory(16 << 20, 16 << 20, 0)));
    OomCounters before = cgroup.oomCounters();
    Shell shell = shell(cgroup, "tail /dev/zero; exit $?");
    assertThat(end(shell)).isEqualTo(new WaitResult.Exited(137));
    assertThat(cgroup.oomCounters().killedSince(before)).isTrue();
    assertThat(cgroup.stats().memory().orElseThrow().limit()).hasValue(16 << 20);
  }

  @Test
  void aRefusedLimitLeavesNoCgroup() {
    Resources impossible =
        Resources.NONE.withCpu(new Resources.Cpu(0, 0, 0, 0, "4000", "", false)).withPids(5);
    assertThatThrownBy(() -> manager.create(top, impossible))
        .hasMessageContaining(
            manager.controllers().contains("cpuset") ? "cpuset.cpus refuses 4000" : "cpuset.cpus");
    assertThat(manager.find(top)).isEmpty();
  }

  @Test
  void pidsLimitHolds() {
    Cgroup cgroup = manager.create(top, Resources.NONE.withPids(1));
    Shell shell = shell(cgroup, "(exit 0) 2>/dev/null || exit 42");
    Cgroup found = manager.find(top).orElseThrow();
    assertThat(found.stats().pids().orElseThrow().limit()).hasValue(1);
    cgroup.killAll(SOON);
    end(shell);
  }

  @Test
  void onlyAllowedDevicesOpen() {
    Cgroup cgroup = manager.create(top, Resources.NONE);
    cgroup.devices(
        List.of(
            NOTHING, new DeviceRule(true, 'c', 1, 3, "rwm"), new DeviceRule(true, 'c', 1, 9, "r")));
    Shell shell =
        shell(cgroup, "head -c1 /dev/zero >/dev/null 2>&1 && exit 1; exec 5</dev/urandom");
    assertThat(end(shell)).isEqualTo(new WaitResult.Exited(0));
  }

  @Test
  @EnabledIf("hybrid")
  void deviceProgramDecidesPerAccessAndIsReplaced() {
    Cgroup cgroup =
        new UnifiedManager(kernel, Path.of("/sys/fs/cgroup/unified")).create(top, Resources.NONE);
    cgroup.devices(
        List.of(
            NOTHING,
            new DeviceRule(true, 'c', 1, DeviceRule.ANY, "rw"),
            new DeviceRule(false, 'c', 1, 5, "w")));
    // Reading and writing at once needs both, and writing is denied by the later rule.
    Shell shell =
        shell(
            cgroup,
            "exec 5</dev/zero || exit 1; (exec 6<>/dev/zero) 2>/dev/null && exit 2;"
                + " exec 7<>/dev/null || exit 3; (exec 8</dev/tty0) 2>/dev/null && exit 4; exit 0");
    assertThat(end(shell)).isEqualTo(new WaitResult.Exited(0));
    for (int i = 0; i < 3; i++) {
      cgroup.devices(List.of(new DeviceRule(true, 'a', DeviceRule.ANY, DeviceRule.ANY, "rwm")));
    }
    try (Fd dir =
        kernel
            .files()
            .open(
                Path.of("/sys/fs/cgroup/unified" + top),
                OpenFlags.O_RDONLY | OpenFlags.O_DIRECTORY)) {
      assertThat(kernel.bpf().deviceProgramIds(dir)).hasSize(1);
    }
    assertThat(end(shell(cgroup, "exec 6<>/dev/zero"))).isEqualTo(new WaitResult.Exited(0));
  }
}
