package io.jrt.core.launch;

import static io.jrt.core.launch.LaunchFixture.LIMIT;
import static io.jrt.core.launch.LaunchFixture.process;
import static io.jrt.core.launch.LaunchFixture.shell;
import static io.jrt.core.launch.LaunchFixture.with;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.jrt.core.launch.LaunchFixture.Request;
import io.jrt.core.launch.LaunchFixture.Result;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.IdMapping;
import io.jrt.linux.Signals;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ExecIT {
  private LaunchFixture fixture;
  private Path rootfs;

  @BeforeEach
  void open() throws Exception {
    fixture = new LaunchFixture();
    rootfs = fixture.rootfs("rootfs");
  }

  @AfterEach
  void close() throws Exception {
    fixture.close();
  }

  private LiveContainer sleeper() throws Exception {
    return fixture.start(rootfs, process("sleep", "1000"));
  }

  private Result exec(LiveContainer container, ProcessSpec process) throws Exception {
    return fixture.run(
        container.exec(
            new ExecSpec(process, CgroupPlacement.NONE, false), new LaunchIo.Pipes(false)));
  }

  @Test
  void runsInAllNamespacesOfTheContainer() throws Exception {
    LiveContainer container = sleeper();
    Result result =
        exec(
            container,
            shell(
                "for n in mnt net ipc uts pid cgroup; do readlink /proc/self/ns/$n; done; exit 4"));
    assertThat(result.status()).isEqualTo(4);
    for (String name : List.of("mnt", "net", "ipc", "uts", "pid", "cgroup")) {
      Path link = Path.of("/proc/" + container.pid() + "/ns/" + name);
      assertThat(result.out()).contains(Files.readSymbolicLink(link).toString());
    }
  }

  @Test
  void hasDescriptorsZeroToTwoOnlyAndExactIds() throws Exception { // CVE-2024-21626, CVE-2026-30892
    LiveContainer container = sleeper();
    assertThat(exec(container, process("ls", "/proc/self/fd")).out()).isEqualTo("0\n1\n2\n3\n");
    ProcessSpec spec =
        with(
            shell("id; grep -E '^(Cap|NoNew|Seccomp:)' /proc/self/status; pwd"),
            new Credentials(1000, 1000, List.of(7L), 0022),
            Capabilities.of(0x400),
            true,
            LaunchIT.denyMkdir(),
            "/tmp");
    assertThat(exec(container, spec).out())
        .contains(
            "uid=1000 gid=1000 groups=7",
            "CapInh:\t0000000000000000",
            "CapBnd:\t0000000000000400",
            "NoNewPrivs:\t1",
            "Seccomp:\t2",
            "/tmp\n");
  }

  @Test
  void filterWithoutNoNewPrivilegesHoldsToo() throws Exception {
    ProcessSpec spec =
        with(
            shell("grep Seccomp: /proc/self/status; mkdir /tmp/d || echo denied"),
            null,
            null,
            false,
            LaunchIT.denyMkdir(),
            null);
    assertThat(exec(sleeper(), spec).out()).isEqualTo("Seccomp:\t2\ndenied\n");
  }

  @Test
  void stdinTerminalAndSize() throws Exception {
    LiveContainer container = sleeper();
    LiveExec cat =
        container.exec(
            new ExecSpec(process("cat"), CgroupPlacement.NONE, false), new LaunchIo.Pipes(true));
    fixture.write(cat.stdin().orElseThrow(), "typed");
    cat.closeStdin();
    assertThat(fixture.run(cat).out()).isEqualTo("typed");

    LiveExec terminal =
        container.exec(
            new ExecSpec(shell("tty; stty size; read x; exit 6"), CgroupPlacement.NONE, false),
            new LaunchIo.Terminal(21, 77));
    assertThat(fixture.readUntil(terminal.terminal().orElseThrow(), "21 77"))
        .contains("/dev/pts/0");
    terminal.resize(5, 6);
    fixture.write(terminal.terminal().orElseThrow(), "\n");
    assertThat(terminal.awaitExit(LIMIT).orElseThrow().status()).isEqualTo(6);
    terminal.close();
  }

  @Test
  void failuresHaveSentences() throws Exception {
    LiveContainer container = sleeper();
    assertThatThrownBy(() -> exec(container, process("/nope")))
        .hasMessage("exec /nope: no such file in the image");
    assertThatThrownBy(
            () -> exec(container, with(process("true"), null, null, null, null, "/not/there")))
        .hasMessage("working directory /not/there: no such directory in the container");
    for (int n = 0; n < 20; n++) {
      String cwd = "/proc/self/fd/" + n;
      assertThatThrownBy(() -> exec(container, with(process("true"), null, null, null, null, cwd)))
          .hasMessageContaining("working directory " + cwd);
    }
    container.kill(Signals.SIGKILL);
    container.awaitExit(LIMIT);
    JrtException over =
        catchThrowableOfType(JrtException.class, () -> exec(container, process("true")));
    assertThat(over.kind()).isEqualTo(ErrorKind.FAILED_PRECONDITION);
  }

  @Test
  void killAllEndsEverythingItStarted() throws Exception {
    LiveContainer container = sleeper();
    Set<Long> before = inside(container);
    LiveExec exec =
        container.exec(
            new ExecSpec(
                shell("sleep 500 & setsid sleep 501 & (sleep 502 &) ; echo up; sleep 503"),
                CgroupPlacement.NONE,
                false),
            new LaunchIo.Pipes(false));
    fixture.readUntil(exec.stdout().orElseThrow(), "up");
    Thread.sleep(50);
    assertThat(inside(container).size()).isGreaterThanOrEqualTo(before.size() + 4);
    exec.killAll();
    assertThat(exec.awaitExit(LIMIT).orElseThrow().status()).isEqualTo(137);
    for (int i = 0; i < 500 && !inside(container).equals(before); i++) {
      Thread.sleep(10);
    }
    assertThat(inside(container)).isEqualTo(before);
    exec.close();
    assertThat(container.exit()).isEmpty();
  }

  /** The living processes of the container's pid namespace. */
  private static Set<Long> inside(LiveContainer container) throws Exception {
    Path namespace = Files.readSymbolicLink(Path.of("/proc/" + container.pid() + "/ns/pid"));
    try (Stream<ProcessHandle> all = ProcessHandle.allProcesses()) {
      return all.map(ProcessHandle::pid)
          .filter(
              pid -> {
                try {
                  // What was killed stays a zombie here: the container's init reaps nothing.
                  return Files.readSymbolicLink(Path.of("/proc/" + pid + "/ns/pid"))
                          .equals(namespace)
                      && !Files.readString(Path.of("/proc/" + pid + "/stat")).contains(") Z ");
                } catch (java.io.IOException gone) {
                  return false;
                }
              })
          .collect(java.util.stream.Collectors.toSet());
    }
  }

  @Test
  void closingItKillsIt() throws Exception {
    LiveContainer container = sleeper();
    LiveExec exec =
        container.exec(
            new ExecSpec(process("sleep", "400"), CgroupPlacement.NONE, false),
            new LaunchIo.Pipes(false));
    int pid = exec.pid();
    exec.close();
    assertThat(Path.of("/proc/" + pid)).doesNotExist();
  }

  @Test
  void endOfTheContainerEndsIt() throws Exception {
    LiveContainer container = sleeper();
    LiveExec exec =
        container.exec(
            new ExecSpec(process("sleep", "400"), CgroupPlacement.NONE, false),
            new LaunchIo.Pipes(false));
    container.kill(Signals.SIGKILL);
    assertThat(container.awaitExit(LIMIT).orElseThrow().status()).isEqualTo(137);
    assertThat(exec.awaitExit(LIMIT).orElseThrow().status()).isEqualTo(137);
    exec.close();
  }

  @Test
  void hundredOfThemLeakNothing() throws Exception {
    LiveContainer container = sleeper();
    exec(container, process("true"));
    long descriptors = descriptors();
    long[] micros = new long[100];
    for (int i = 0; i < micros.length; i++) {
      long start = System.nanoTime();
      assertThat(exec(container, process("true")).status()).isZero();
      micros[i] = (System.nanoTime() - start) / 1000;
    }
    java.util.Arrays.sort(micros);
    System.out.printf("exec true to its end: median %d us, p95 %d us%n", micros[50], micros[95]);
    assertThat(descriptors()).isEqualTo(descriptors);
    assertThat(ProcessHandle.current().children().count()).isEqualTo(1); // the keeper
  }

  static long descriptors() throws Exception {
    try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
      return open.count();
    }
  }

  @Test
  void userNamespaceHoldsContainerAndExec() throws Exception {
    List<IdMapping> map = List.of(new IdMapping(0, 200000, 65536));
    Path pin = fixture.directory.resolve("user");
    try (Stream<Path> all = Files.walk(rootfs)) {
      for (Path path : all.toList()) {
        Files.setAttribute(path, "unix:uid", 200000, java.nio.file.LinkOption.NOFOLLOW_LINKS);
        Files.setAttribute(path, "unix:gid", 200000, java.nio.file.LinkOption.NOFOLLOW_LINKS);
      }
    }
    try (var user =
        fixture
            .kernel
            .namespaces()
            .createUser(map, map, pin, Path.of(System.getProperty("jrt.init")))) {
      Request request =
          new Request(
              rootfs,
              shell(
                  "id -u; cat /proc/self/uid_map; echo x > /dev/null; stat -c %t:%T /dev/null;"
                      + " touch /made; sleep 1000"));
      NamespacePlan isolated = NamespacePlan.ISOLATED;
      request.namespaces =
          new NamespacePlan(
              new NamespaceSource.Join(user),
              isolated.pid(),
              isolated.network(),
              isolated.ipc(),
              isolated.uts(),
              isolated.cgroup());
      request.sysctls = Map.of("net.ipv4.ip_unprivileged_port_start", "0");
      request.masked = CString.listOf("/proc/kcore", "/proc/scsi");
      request.readonly = CString.listOf("/proc/sys");
      LiveContainer container = fixture.start(request);
      assertThat(fixture.readUntil(container.stdout().orElseThrow(), "1:3"))
          .startsWith("0\n")
          .contains("200000      65536");
      Result result =
          exec(container, shell("id -u; readlink /proc/self/ns/user; tty; ls -ln /made"));
      assertThat(result.out())
          .startsWith("0\n")
          .contains(
              Files.readSymbolicLink(Path.of("/proc/" + container.pid() + "/ns/user")).toString());
      LiveExec terminal =
          container.exec(
              new ExecSpec(shell("tty"), CgroupPlacement.NONE, false),
              new LaunchIo.Terminal(24, 80));
      assertThat(fixture.readUntil(terminal.terminal().orElseThrow(), "/dev/pts/0")).isNotEmpty();
      terminal.awaitExit(LIMIT);
      terminal.close();
    } finally {
      fixture.kernel.namespaces().unpin(Set.of(pin));
    }
  }
}
