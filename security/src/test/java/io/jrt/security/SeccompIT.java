package io.jrt.security;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Kernel;
import io.jrt.linux.Seccomp;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Profiles through the installed libseccomp; the resulting program is run by an interpreter. */
class SeccompIT {
  private static final int ALLOW = Seccomp.SCMP_ACT_ALLOW;
  private static final int EPERM = Seccomp.actionErrno(1);
  private static final int ENOSYS = Seccomp.actionErrno(38);
  private static final int X86_64 = 0xC000003E;
  private static final int I386 = 0x40000003;
  private static final int X32_BIT = 0x40000000;

  private final Kernel kernel = Kernel.open();
  private final SeccompProfiles profiles = new SeccompProfiles(kernel);

  @TempDir Path directory;

  private BpfInterpreter defaultProfile(long capabilities) {
    return new BpfInterpreter(
        profiles
            .filter(new SecurityProfile.RuntimeDefault(), capabilities, false)
            .orElseThrow()
            .program());
  }

  private BpfInterpreter localhost(String json) throws IOException {
    Path file = Files.write(directory.resolve("p.json"), json.getBytes(UTF_8));
    return new BpfInterpreter(
        profiles
            .filter(new SecurityProfile.Localhost(file.toString()), 0, false)
            .orElseThrow()
            .program());
  }

  private int nr(String name) {
    return kernel.seccomp().resolve(X86_64, name).stream()
        .filter(n -> n >= 0)
        .findFirst()
        .orElseGet(() -> NewSystemCalls.number("x86_64", name).orElseThrow());
  }

  @Test
  void defaultProfileAllowsAndDeniesWhatContainerdDoes() {
    BpfInterpreter bpf = defaultProfile(Capabilities.DEFAULT);

    for (String allowed :
        List.of(
            "read",
            "write",
            "openat",
            "openat2",
            "execve",
            "mmap",
            "clone",
            "fork",
            "futex",
            "ptrace",
            "process_vm_readv",
            "arch_prctl",
            "modify_ldt",
            "statx",
            "getrandom",
            "seccomp",
            "landlock_restrict_self",
            "memfd_secret",
            "epoll_pwait2",
            "faccessat2",
            "chroot",
            "mknod",
            "name_to_handle_at",
            "pidfd_open",
            "adjtimex",
            "futex_waitv",
            "cachestat",
            "fchmodat2",
            "mseal",
            "listmount",
            "statmount",
            "setxattrat",
            "removexattrat",
            "uretprobe",
            "map_shadow_stack",
            "lsm_get_self_attr")) {
      assertThat(bpf.run(nr(allowed), X86_64)).as(allowed).isEqualTo(ALLOW);
    }
    for (String denied :
        List.of(
            "mount",
            "umount2",
            "setns",
            "unshare",
            "bpf",
            "reboot",
            "init_module",
            "finit_module",
            "delete_module",
            "kexec_load",
            "open_by_handle_at",
            "keyctl",
            "add_key",
            "request_key",
            "userfaultfd",
            "io_uring_setup",
            "io_uring_enter",
            "pidfd_getfd",
            "process_madvise",
            "perf_event_open",
            "syslog",
            "settimeofday",
            "clock_settime",
            "acct",
            "quotactl",
            "swapon",
            "pivot_root",
            "iopl",
            "ioperm",
            "fsopen",
            "fsmount",
            "move_mount",
            "open_tree",
            "mount_setattr",
            "kcmp",
            "mbind",
            "set_mempolicy",
            "vhangup",
            "sethostname",
            "nfsservctl",
            "lookup_dcookie",
            "uselib",
            "ustat",
            "sysfs",
            "_sysctl",
            "quotactl_fd",
            "set_mempolicy_home_node")) {
      assertThat(bpf.run(nr(denied), X86_64)).as(denied).isEqualTo(EPERM);
    }
  }

  @Test
  void clone3LooksAbsentSoThatLibrariesFallBack() {
    assertThat(defaultProfile(Capabilities.DEFAULT).run(nr("clone3"), X86_64)).isEqualTo(ENOSYS);
    assertThat(defaultProfile(Capability.SYS_ADMIN.bit()).run(nr("clone3"), X86_64))
        .isEqualTo(ALLOW);
  }

  @Test
  void cloneMakesNoNamespaces() {
    BpfInterpreter bpf = defaultProfile(Capabilities.DEFAULT);

    for (long flag :
        new long[] {
          0x00020000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000, 0x02000000
        }) {
      assertThat(bpf.run(nr("clone"), X86_64, flag | 17)).as("%x", flag).isEqualTo(EPERM);
      assertThat(bpf.run(120, I386, flag | 17)).as("i386 %x", flag).isEqualTo(EPERM);
      assertThat(defaultProfile(Capabilities.ALL).run(nr("clone"), X86_64, flag)).isEqualTo(ALLOW);
    }
    assertThat(bpf.run(nr("clone"), X86_64, 0x3d0f00)).as("pthread_create").isEqualTo(ALLOW);
  }

  @Test
  void socketsOfTwoFamiliesAreDenied() {
    BpfInterpreter bpf = defaultProfile(Capabilities.DEFAULT);

    for (int family = 0; family < 64; family++) {
      int expected = family == 38 || family == 40 ? EPERM : ALLOW;
      assertThat(bpf.run(nr("socket"), X86_64, family)).as("family " + family).isEqualTo(expected);
      assertThat(bpf.run(359, I386, family)).as("i386 family " + family).isEqualTo(expected);
    }
  }

  @Test
  void personalityIsHeldToHarmlessOnes() {
    BpfInterpreter bpf = defaultProfile(Capabilities.DEFAULT);

    for (long allowed : new long[] {0, 8, 0x20000, 0x20008, 0xffffffffL}) {
      assertThat(bpf.run(nr("personality"), X86_64, allowed)).isEqualTo(ALLOW);
    }
    for (long denied : new long[] {0x0040000, 0x0100000, 0x400000, 1}) {
      assertThat(bpf.run(nr("personality"), X86_64, denied)).isEqualTo(EPERM);
    }
  }

  @Test
  void capabilitiesOpenTheirCalls() {
    Map<Capability, List<String>> opened =
        Map.ofEntries(
            Map.entry(Capability.DAC_READ_SEARCH, List.of("open_by_handle_at")),
            Map.entry(
                Capability.SYS_ADMIN,
                List.of("mount", "setns", "bpf", "fsopen", "quotactl_fd", "syslog", "unshare")),
            Map.entry(Capability.SYS_BOOT, List.of("reboot")),
            Map.entry(Capability.SYS_CHROOT, List.of("chroot")),
            Map.entry(Capability.SYS_MODULE, List.of("init_module", "finit_module")),
            Map.entry(Capability.SYS_PACCT, List.of("acct")),
            Map.entry(Capability.SYS_PTRACE, List.of("kcmp", "pidfd_getfd", "process_madvise")),
            Map.entry(Capability.SYS_RAWIO, List.of("iopl", "ioperm")),
            Map.entry(Capability.SYS_TIME, List.of("settimeofday", "clock_settime")),
            Map.entry(Capability.SYS_TTY_CONFIG, List.of("vhangup")),
            Map.entry(Capability.SYS_NICE, List.of("mbind", "set_mempolicy_home_node")),
            Map.entry(Capability.SYSLOG, List.of("syslog")),
            Map.entry(Capability.BPF, List.of("bpf")),
            Map.entry(Capability.PERFMON, List.of("perf_event_open")));
    BpfInterpreter none = defaultProfile(0);
    opened.forEach(
        (capability, names) -> {
          BpfInterpreter with = defaultProfile(capability.bit());
          for (String name : names) {
            assertThat(none.run(nr(name), X86_64)).as(name).isEqualTo(EPERM);
            assertThat(with.run(nr(name), X86_64)).as(name).isEqualTo(ALLOW);
          }
        });
  }

  @Test
  void callsNewerThanTheProfileLookAbsent() {
    BpfInterpreter bpf = defaultProfile(Capabilities.DEFAULT);

    assertThat(bpf.run(999, X86_64)).isEqualTo(ENOSYS);
    assertThat(bpf.run(999, I386)).isEqualTo(ENOSYS);
    assertThat(bpf.run(999 | X32_BIT, X86_64)).isEqualTo(ENOSYS);
    assertThat(bpf.run(467, X86_64)).as("open_tree_attr").isEqualTo(ENOSYS);
    assertThat(bpf.run(451 | X32_BIT, X86_64)).as("x32 cachestat").isEqualTo(ALLOW);
    assertThat(bpf.run(451, I386)).as("i386 cachestat").isEqualTo(ALLOW);
  }

  @Test
  void foreignArchitectureIsKilled() {
    assertThat(defaultProfile(Capabilities.DEFAULT).run(0, 0xC00000B7))
        .isEqualTo(Seccomp.SCMP_ACT_KILL_THREAD);
  }

  @Test
  void everyNameOfTheProfileIsKnownOnThisMachine() {
    // On x86 there is nothing of other architectures to know; names that exist nowhere would show.
    SeccompFilter filter =
        profiles
            .filter(new SecurityProfile.RuntimeDefault(), Capabilities.ALL, false)
            .orElseThrow();

    assertThat(new TreeSet<>(filter.unknown()))
        .isSubsetOf(Set.of("clock_adjtime64", "epoll_ctl_old"));
    assertThat(filter.length()).isLessThan(4096);
    assertThat(filter.flags()).isEqualTo(SeccompProfile.FLAG_SPEC_ALLOW);
  }

  @Test
  void everydayCallsTakeFewInstructions() {
    BpfInterpreter bpf = defaultProfile(Capabilities.DEFAULT);

    for (String name : List.of("read", "write", "futex", "epoll_wait", "recvmsg", "close")) {
      bpf.run(nr(name), X86_64);
      assertThat(bpf.steps()).as(name).isLessThan(40);
    }
  }

  @Test
  void sameProfileAndCapabilitiesAreCompiledOnce() {
    SecurityProfile profile = new SecurityProfile.RuntimeDefault();
    SeccompFilter first = profiles.filter(profile, 1, false).orElseThrow();

    assertThat(profiles.filter(profile, 1, false).orElseThrow()).isSameAs(first);
    assertThat(profiles.filter(profile, 2, false).orElseThrow()).isNotSameAs(first);
    assertThat(profiles.filter(profile, 1, true).orElseThrow().flags())
        .isEqualTo(SeccompProfile.FLAG_SPEC_ALLOW | SeccompProfile.FLAG_LOG);
  }

  @Test
  void unconfinedHasNoFilter() {
    assertThat(profiles.filter(new SecurityProfile.Unconfined(), 0, false)).isEmpty();
  }

  @Test
  void allComparisonsHold() throws IOException {
    record Case(String op, long value, long two, long yes, long no) {}
    for (Case c :
        List.of(
            new Case("NE", 5, 0, 4, 5),
            new Case("LT", 5, 0, 4, 5),
            new Case("LE", 5, 0, 5, 6),
            new Case("EQ", 0x1_0000_0005L, 0, 0x1_0000_0005L, 5),
            new Case("GE", 5, 0, 5, 4),
            new Case("GT", 5, 0, 0x1_0000_0000L, 5),
            new Case("MASKED_EQ", 0xf0, 0x10, 0x1f, 0x2f))) {
      BpfInterpreter bpf =
          localhost(
              """
              {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 13, "syscalls": [
                {"names": ["kill"], "action": "SCMP_ACT_ALLOW",
                 "args": [{"index": 1, "value": %d, "valueTwo": %d, "op": "SCMP_CMP_%s"}]}]}
              """
                  .formatted(c.value(), c.two(), c.op()));
      assertThat(bpf.run(nr("kill"), X86_64, 0, c.yes())).as(c.op()).isEqualTo(ALLOW);
      assertThat(bpf.run(nr("kill"), X86_64, 0, c.no()))
          .as(c.op())
          .isEqualTo(Seccomp.actionErrno(13));
    }
  }

  @Test
  void conditionsOnOneArgumentAreAlternativesOnSeveralAllMustHold() throws IOException {
    BpfInterpreter bpf =
        localhost(
            """
            {"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
              {"names": ["kill"], "action": "SCMP_ACT_ALLOW", "args": [
                {"index": 0, "value": 1, "op": "SCMP_CMP_EQ"},
                {"index": 0, "value": 2, "op": "SCMP_CMP_EQ"}]},
              {"names": ["tkill"], "action": "SCMP_ACT_ALLOW", "args": [
                {"index": 0, "value": 1, "op": "SCMP_CMP_EQ"},
                {"index": 1, "value": 2, "op": "SCMP_CMP_EQ"}]}]}
            """);

    assertThat(bpf.run(nr("kill"), X86_64, 1)).isEqualTo(ALLOW);
    assertThat(bpf.run(nr("kill"), X86_64, 2)).isEqualTo(ALLOW);
    assertThat(bpf.run(nr("kill"), X86_64, 3)).isEqualTo(EPERM);
    assertThat(bpf.run(nr("tkill"), X86_64, 1, 2)).isEqualTo(ALLOW);
    assertThat(bpf.run(nr("tkill"), X86_64, 1, 3)).isEqualTo(EPERM);
  }

  @Test
  void denyListLeavesTheRestAllowed() throws IOException {
    BpfInterpreter bpf =
        localhost(
            """
            {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
              {"names": ["mkdir", "no_such_call"], "action": "SCMP_ACT_ERRNO", "errnoRet": 30},
              {"names": ["rmdir"], "action": "SCMP_ACT_KILL_PROCESS"},
              {"names": ["cachestat"], "action": "SCMP_ACT_TRAP"},
              {"names": ["link"], "action": "SCMP_ACT_TRACE", "errnoRet": 7},
              {"names": ["unlink"], "action": "SCMP_ACT_LOG"}]}
            """);

    assertThat(bpf.run(nr("mkdir"), X86_64)).isEqualTo(Seccomp.actionErrno(30));
    assertThat(bpf.run(nr("rmdir"), X86_64)).isEqualTo(Seccomp.SCMP_ACT_KILL_PROCESS);
    assertThat(bpf.run(451, X86_64)).isEqualTo(Seccomp.SCMP_ACT_TRAP);
    assertThat(bpf.run(nr("link"), X86_64)).isEqualTo(Seccomp.actionTrace(7));
    assertThat(bpf.run(nr("unlink"), X86_64)).isEqualTo(Seccomp.SCMP_ACT_LOG);
    assertThat(bpf.run(nr("read"), X86_64)).isEqualTo(ALLOW);
    assertThat(bpf.run(9999, X86_64))
        .as("newer calls are not the profile's business")
        .isEqualTo(ALLOW);
  }

  @Test
  void missingAndWrongProfilesAreToldApart() throws IOException {
    SecurityProfile absent = new SecurityProfile.Localhost(directory.resolve("no.json") + "");
    SecurityProfile relative = new SecurityProfile.Localhost("localhost/x.json");
    Path wrong = Files.writeString(directory.resolve("w.json"), "{\n}");

    assertThatThrownBy(() -> profiles.filter(absent, 0, false))
        .isInstanceOfSatisfying(
            JrtException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.NOT_FOUND));
    assertThatThrownBy(() -> profiles.filter(relative, 0, false))
        .hasMessage("seccomp profile \"x.json\" is no absolute path");
    assertThatThrownBy(
            () -> profiles.filter(new SecurityProfile.Localhost(wrong.toString()), 0, false))
        .hasMessage(wrong + ":1: defaultAction is missing");
    assertThatThrownBy(
            () -> profiles.filter(new SecurityProfile.Localhost(directory.toString()), 0, false))
        .isInstanceOf(JrtException.class)
        .hasMessageContaining("is no regular file");
  }
}
