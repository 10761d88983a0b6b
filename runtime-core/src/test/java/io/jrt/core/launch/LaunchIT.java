package io.jrt.core.launch;

import static io.jrt.core.launch.LaunchFixture.DEFAULT_CAPABILITIES;
import static io.jrt.core.launch.LaunchFixture.process;
import static io.jrt.core.launch.LaunchFixture.shell;
import static io.jrt.core.launch.LaunchFixture.with;
import static org.assertj.core.api.Assertions.assertThat;

import io.jrt.core.launch.LaunchFixture.Request;
import io.jrt.core.launch.LaunchFixture.Result;
import io.jrt.linux.Signals;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class LaunchIT {
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

  @Test
  void runsAndTellsOutputAndExitCode() throws Exception {
    Result result = fixture.run(rootfs, "echo hello; echo oops >&2; exit 7");
    assertThat(result.out()).isEqualTo("hello\n");
    assertThat(result.err()).isEqualTo("oops\n");
    assertThat(result.exit().code()).isEqualTo(7);
    assertThat(result.exit().signal()).isZero();
    assertThat(result.exit().maxRssBytes()).isPositive();
  }

  @Test
  void signalEndsIt() throws Exception {
    LiveContainer container = fixture.start(rootfs, process("sleep", "100"));
    // Pid 1 of a pid namespace ignores what it has no handler for.
    assertThat(container.kill(Signals.SIGKILL)).isTrue();
    Result result = fixture.finish(container);
    assertThat(result.exit().signal()).isEqualTo(9);
    assertThat(result.status()).isEqualTo(137);
  }

  @Test
  void isolatedNamespacesAreAllItsOwn() throws Exception {
    Result result =
        fixture.run(
            rootfs,
            "echo pid $$; for n in mnt net ipc uts pid cgroup; do readlink /proc/self/ns/$n; done");
    assertThat(result.out()).startsWith("pid 1\n");
    for (String name : List.of("mnt", "net", "ipc", "uts", "pid", "cgroup")) {
      String host = Files.readSymbolicLink(Path.of("/proc/self/ns/" + name)).toString();
      assertThat(result.out()).contains(name + ":[").doesNotContain(host);
    }
  }

  @Test
  void hostNamespacesAreTheHosts() throws Exception {
    NamespaceSource host = NamespaceSource.HOST;
    Request request =
        new Request(
            rootfs, shell("for n in net ipc uts pid cgroup; do readlink /proc/self/ns/$n; done"));
    request.namespaces = new NamespacePlan(host, host, host, host, host, host);
    Result result = fixture.run(request);
    for (String name : List.of("net", "ipc", "uts", "pid", "cgroup")) {
      assertThat(result.out())
          .contains(Files.readSymbolicLink(Path.of("/proc/self/ns/" + name)).toString());
    }
  }

  @Test
  void descriptorsAreZeroToTwoOnly() throws Exception {
    // The listing itself opens the directory as 3.
    Result result = fixture.run(new Request(rootfs, process("ls", "/proc/self/fd")));
    assertThat(result.out()).isEqualTo("0\n1\n2\n3\n");
    // Here the first process lists its own: no pipe to another one is open meanwhile.
    Result links = fixture.run(rootfs, "readlink /proc/self/fd/0; echo /proc/1/fd/*");
    assertThat(links.out())
        .isEqualTo("/dev/null\n/proc/1/fd/0 /proc/1/fd/1 /proc/1/fd/2 /proc/1/fd/3\n");
  }

  @Test
  void idsGroupsAndCapabilitiesAreExact() throws Exception {
    Request request =
        new Request(rootfs, shell("id; grep -E '^(Cap|NoNew|Groups|Seccomp:)' /proc/self/status"));
    request.process =
        with(
            request.process,
            new Credentials(1000, 1001, List.of(5L, 2000L), 0027),
            Capabilities.of(0x400),
            true,
            null,
            null);
    Result result = fixture.run(request);
    assertThat(result.out())
        .contains("uid=1000 gid=1001 groups=5,2000")
        .contains("CapInh:\t0000000000000000")
        .contains("CapBnd:\t0000000000000400")
        .contains("CapAmb:\t0000000000000000")
        .contains("NoNewPrivs:\t1")
        .contains("Seccomp:\t0");
  }

  @Test
  void ambientCapabilitiesReachTheProgramOfAnotherUser() throws Exception {
    Request request = new Request(rootfs, shell("grep ^Cap /proc/self/status"));
    request.process =
        with(
            request.process,
            new Credentials(1000, 1000, List.of(), 0022),
            new Capabilities(0x400, 0x400, 0x400, 0x400, 0x400),
            null,
            null,
            null);
    assertThat(fixture.run(request).out())
        .contains("CapEff:\t0000000000000400", "CapAmb:\t0000000000000400");
  }

  @Test
  void rootHasTheGivenCapabilitiesOnly() throws Exception {
    Result result = fixture.run(rootfs, "grep ^Cap /proc/self/status");
    String mask = String.format("%016x", DEFAULT_CAPABILITIES);
    assertThat(result.out())
        .contains("CapInh:\t0000000000000000", "CapEff:\t" + mask, "CapBnd:\t" + mask);
  }

  @Test
  void seccompFilterHoldsWithAndWithoutNoNewPrivileges() throws Exception {
    for (boolean noNewPrivileges : new boolean[] {true, false}) {
      Request request =
          new Request(
              rootfs, shell("grep ^Seccomp: /proc/self/status; mkdir /tmp/x || echo denied"));
      request.process = with(request.process, null, null, noNewPrivileges, denyMkdir(), null);
      Result result = fixture.run(request);
      assertThat(result.out()).isEqualTo("Seccomp:\t2\ndenied\n");
      assertThat(result.err()).contains("Operation not permitted");
    }
  }

  /** Allows all but mkdir and mkdirat, which fail with EPERM. */
  static SeccompFilter denyMkdir() {
    boolean arm = System.getProperty("os.arch").equals("aarch64");
    int mkdirat = arm ? 34 : 258;
    int mkdir = arm ? 34 : 83;
    ByteBuffer program = ByteBuffer.allocate(5 * 8).order(ByteOrder.nativeOrder());
    instruction(program, 0x20, 0, 0, 0); // load the call's number
    instruction(program, 0x15, 2, 0, mkdir);
    instruction(program, 0x15, 1, 0, mkdirat);
    instruction(program, 0x06, 0, 0, 0x7fff0000); // allow
    instruction(program, 0x06, 0, 0, 0x00050000 | 1); // EPERM
    return SeccompFilter.of(program.array(), 0);
  }

  private static void instruction(ByteBuffer to, int code, int yes, int no, int value) {
    to.putShort((short) code).put((byte) yes).put((byte) no).putInt(value);
  }

  @Test
  void maskedAndReadonlyPathsAre() throws Exception {
    Files.createDirectories(rootfs.resolve("secret"));
    Files.writeString(rootfs.resolve("secret/key"), "k");
    Files.writeString(rootfs.resolve("etc/hidden"), "h");
    Files.createDirectories(rootfs.resolve("frozen"));
    Request request =
        new Request(
            rootfs,
            shell(
                "ls /secret; cat /etc/hidden; cat /proc/kcore | wc -c;"
                    + " touch /frozen/x || echo frozen; touch /secret/y || echo masked;"
                    + " echo 1 > /proc/sys/kernel/panic || echo sys; touch /free && echo free"));
    request.masked =
        CString.listOf("/secret", "/etc/hidden", "/proc/kcore", "/proc/missing", "/proc/scsi");
    request.readonly = CString.listOf("/frozen", "/proc/sys", "/nothing");
    Result result = fixture.run(request);
    assertThat(result.out()).isEqualTo("0\nfrozen\nmasked\nsys\nfree\n");
  }

  @Test
  void readonlyRootfsIs() throws Exception {
    Request request =
        new Request(rootfs, shell("touch /x || echo no; touch /dev/shm/x && echo yes"));
    request.readonlyRootfs = true;
    assertThat(fixture.run(request).out()).isEqualTo("no\nyes\n");
  }

  @Test
  void devicesLinksAndFilesystemsAreThere() throws Exception {
    Result result =
        fixture.run(
            rootfs,
            "for d in null zero full random urandom tty; do stat -c '%n %t:%T %a' /dev/$d; done;"
                + " readlink /dev/ptmx; ls /dev/pts /dev/shm; grep -c . /proc/mounts;"
                + " ls /sys | grep kernel; ls /dev/mqueue && echo mq; head -c 4 /dev/zero | wc -c");
    assertThat(result.out())
        .startsWith(
            """
            /dev/null 1:3 666
            /dev/zero 1:5 666
            /dev/full 1:7 666
            /dev/random 1:8 666
            /dev/urandom 1:9 666
            /dev/tty 5:0 666
            """)
        .contains("pts/ptmx", "ptmx", "kernel", "mq\n4\n");
  }

  @Test
  void sysctlAndHostnameAreSetInsideOnly() throws Exception {
    String before = fixture.sysctl("kernel/hostname");
    Request request =
        new Request(
            rootfs,
            shell(
                "hostname; cat /proc/sys/net/ipv4/ip_unprivileged_port_start"
                    + " /proc/sys/kernel/shmmni"));
    request.hostname = "inside";
    request.sysctls = Map.of("net.ipv4.ip_unprivileged_port_start", "42", "kernel/shmmni", "2048");
    assertThat(fixture.run(request).out()).isEqualTo("inside\n42\n2048\n");
    assertThat(fixture.sysctl("kernel/hostname")).isEqualTo(before);
  }

  @Test
  void mountsAreMadeAtTargetsThatDidNotExist() throws Exception {
    Path volume = Files.createDirectories(fixture.directory.resolve("volume"));
    Files.writeString(volume.resolve("file"), "content\n");
    Request request = new Request(rootfs, shell("cat /a/b/c/file /etc/one; touch /a/b/c/new"));
    try (var tree = fixture.kernel.mounts().bindClone(volume, true);
        var file = fixture.kernel.mounts().bindClone(volume.resolve("file"), false)) {
      request.mounts =
          List.of(
              new MountStep.Attach(tree, CString.of("/a/b/c"), true),
              new MountStep.Attach(file, CString.of("/etc/one"), false));
      assertThat(fixture.run(request).out()).isEqualTo("content\ncontent\n");
    }
    assertThat(volume.resolve("new")).exists();
  }

  @Test
  void stdinReachesItAndEnds() throws Exception {
    Request request = new Request(rootfs, process("cat"));
    request.io = new LaunchIo.Pipes(true);
    LiveContainer container = fixture.start(request);
    fixture.write(container.stdin().orElseThrow(), "typed\n");
    container.closeStdin();
    assertThat(container.stdin()).isEmpty();
    assertThat(fixture.finish(container).out()).isEqualTo("typed\n");
  }

  @Test
  void anotherUserMayReopenItsStandardStreams() throws Exception {
    Request request = new Request(rootfs, shell("echo x > /dev/stdout; echo y > /dev/stderr"));
    request.process =
        with(
            request.process,
            new Credentials(1000, 1000, List.of(), 0022),
            Capabilities.NONE,
            null,
            null,
            null);
    Result result = fixture.run(request);
    assertThat(result.out()).isEqualTo("x\n");
    assertThat(result.err()).isEqualTo("y\n");
  }

  @Test
  void terminalIsControllingAndHasItsSize() throws Exception {
    Request request =
        new Request(
            rootfs,
            shell(
                "tty; stty size; test -c /dev/console && echo console;"
                    + " trap 'exit 9' INT; while :; do sleep 0.02; done"));
    request.io = new LaunchIo.Terminal(33, 111);
    LiveContainer container = fixture.start(request);
    var terminal = container.terminal().orElseThrow();
    assertThat(fixture.readUntil(terminal, "console")).contains("/dev/pts/0", "33 111", "console");
    container.resize(44, 155);
    assertThat(fixture.kernel.terminals().windowSize(terminal).rows()).isEqualTo(44);
    fixture.write(terminal, "\u0003");
    assertThat(container.awaitExit(LaunchFixture.LIMIT).orElseThrow().status()).isEqualTo(9);
  }

  @Test
  void workingDirectoryIsMadeWhenMissing() throws Exception {
    Request request = new Request(rootfs, shell("echo $PWD; readlink /proc/self/cwd"));
    request.process = with(request.process, null, null, null, null, "/work/here");
    assertThat(fixture.run(request).out()).isEqualTo("/work/here\n/work/here\n");
  }

  @Test
  void podsPidNamespaceIsSharedAndReaped() throws Exception {
    Path keeperDir = fixture.keeperDir();
    LiveContainer init =
        fixture.launcher.startPodInit(
            NamespacePlan.ISOLATED, CgroupPlacement.NONE, keeperDir, PodInitLabel.NONE);
    fixture.started.add(init);
    try (var pid =
        fixture
            .kernel
            .namespaces()
            .open(init.pidfd().orElseThrow(), init.pid(), io.jrt.linux.NamespaceKind.PID)) {
      Request request =
          new Request(rootfs, shell("(sleep 0.05 &) ; echo $$; cat /proc/1/comm; sleep 0.2; ps"));
      NamespacePlan isolated = NamespacePlan.ISOLATED;
      request.namespaces =
          new NamespacePlan(
              isolated.user(),
              new NamespaceSource.Join(pid),
              isolated.network(),
              isolated.ipc(),
              isolated.uts(),
              isolated.cgroup());
      Result result = fixture.run(request);
      assertThat(result.status()).isZero();
      assertThat(result.out()).containsPattern("^[2-9]\n").doesNotContain("[sleep]");
    }
    init.kill(Signals.SIGTERM);
    assertThat(init.awaitExit(LaunchFixture.LIMIT).orElseThrow().status()).isZero();
    init.acknowledge();
  }

  @Test
  void podInitObeysASignalThatComesAtOnce() throws Exception {
    for (int i = 0; i < 50; i++) {
      LiveContainer init =
          fixture.launcher.startPodInit(
              NamespacePlan.ISOLATED, CgroupPlacement.NONE, fixture.keeperDir(), PodInitLabel.NONE);
      fixture.started.add(init);
      init.kill(Signals.SIGTERM);
      assertThat(init.awaitExit(LaunchFixture.LIMIT).orElseThrow().status()).isZero();
      init.acknowledge();
      init.close();
      fixture.started.clear();
    }
  }

  @Test
  void isBornInItsCgroupsWhichAreTheRootItSees() throws Exception {
    List<Path> roots =
        List.of(
            Path.of("/sys/fs/cgroup/pids"),
            Path.of("/sys/fs/cgroup/unified"),
            Path.of("/sys/fs/cgroup"));
    Path unified = Files.exists(roots.get(1).resolve("cgroup.procs")) ? roots.get(1) : roots.get(2);
    List<io.jrt.linux.Fd> v1 = new java.util.ArrayList<>();
    List<Path> made = new java.util.ArrayList<>();
    String name = "jrt-launch-" + ProcessHandle.current().pid();
    try {
      made.add(Files.createDirectory(unified.resolve(name)));
      if (Files.exists(roots.get(0))) {
        made.add(Files.createDirectory(roots.get(0).resolve(name)));
        v1.add(
            fixture
                .kernel
                .files()
                .open(made.get(1).resolve("tasks"), io.jrt.linux.OpenFlags.O_WRONLY));
      }
      try (var directory = fixture.kernel.files().openDirectory(made.get(0))) {
        Request request = new Request(rootfs, shell("cat /proc/self/cgroup; read x; exit 2"));
        request.io = new LaunchIo.Pipes(true);
        request.cgroup = new CgroupPlacement(directory, v1);
        LiveContainer container = fixture.start(request);
        String seen = fixture.readUntil(container.stdout().orElseThrow(), "0::/");
        assertThat(seen).contains("0::/\n");
        for (Path cgroup : made) {
          assertThat(Files.readAllLines(cgroup.resolve("cgroup.procs")))
              .contains(Integer.toString(container.pid()));
        }
        LiveExec exec =
            container.exec(
                new ExecSpec(shell("grep -c :/$ /proc/self/cgroup"), request.cgroup, false),
                new LaunchIo.Pipes(false));
        assertThat(Integer.parseInt(fixture.run(exec).out().strip()))
            .isGreaterThanOrEqualTo(made.size());
        container.closeStdin();
        assertThat(fixture.finish(container).status()).isEqualTo(2);
      }
    } finally {
      v1.forEach(io.jrt.linux.Fd::close);
      for (Path cgroup : made) {
        Files.delete(cgroup);
      }
    }
  }
}
