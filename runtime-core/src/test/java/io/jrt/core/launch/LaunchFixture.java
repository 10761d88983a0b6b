package io.jrt.core.launch;

import io.jrt.core.TestHome;
import io.jrt.linux.Fd;
import io.jrt.linux.Kernel;
import io.jrt.linux.OpenFlags;
import io.jrt.linux.Poller;
import io.jrt.linux.Signals;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A launcher on the real kernel and rootfs directories with busybox in a temporary directory. */
final class LaunchFixture {
  static final Duration LIMIT = Duration.ofSeconds(20);
  static final long DEFAULT_CAPABILITIES = 0xa80425fbL;

  final Kernel kernel = Kernel.open();
  final Poller poller = kernel.newPoller("launch-test");
  final Launcher launcher =
      new LinuxLauncher(kernel, poller, Path.of(System.getProperty("jrt.init")));
  final Path directory;
  final List<LiveContainer> started = new ArrayList<>();
  private int keepers;

  LaunchFixture() throws IOException {
    directory = TestHome.make("launch");
  }

  /** A fresh rootfs: busybox with its usual names, /tmp, /etc. */
  Path rootfs(String name) throws IOException, InterruptedException {
    Path root = Files.createDirectories(directory.resolve(name));
    Path bin = Files.createDirectories(root.resolve("bin"));
    Files.createDirectories(root.resolve("etc"));
    Files.createDirectories(root.resolve("tmp"));
    Files.copy(Path.of("/usr/bin/busybox"), bin.resolve("busybox"));
    for (String applet :
        List.of(
            "sh",
            "cat",
            "ls",
            "id",
            "echo",
            "sleep",
            "true",
            "false",
            "stty",
            "tty",
            "head",
            "readlink",
            "mount",
            "hostname",
            "setsid",
            "kill",
            "wc",
            "dd",
            "stat",
            "touch",
            "mkdir",
            "grep",
            "ps",
            "test")) {
      Files.createSymbolicLink(bin.resolve(applet), Path.of("busybox"));
    }
    return root;
  }

  Path keeperDir() throws IOException {
    keepers++;
    return Files.createDirectories(directory.resolve("keeper" + keepers));
  }

  static ProcessSpec process(String... args) {
    return new ProcessSpec(
        CString.listOf(args),
        CString.listOf("PATH=/usr/bin:/bin"),
        CString.of("/"),
        Credentials.ROOT,
        Capabilities.of(DEFAULT_CAPABILITIES),
        List.of(),
        false,
        SeccompFilter.NONE,
        "",
        "",
        ProcessSpec.LEAVE_OOM_SCORE);
  }

  static ProcessSpec shell(String script) {
    return process("sh", "-c", script);
  }

  /** Starts it from that rootfs with everything standard. */
  LiveContainer start(Path rootfs, ProcessSpec process) throws IOException {
    return start(new Request(rootfs, process));
  }

  LiveContainer start(Request request) throws IOException {
    return start(request, keeperDir());
  }

  LiveContainer start(Request request, Path keeperDir) {
    try (Fd root = kernel.mounts().bindClone(request.rootfs, false)) {
      List<MountStep> mounts = new ArrayList<>(StandardLayout.mounts(false, ""));
      mounts.add(StandardLayout.privateShm());
      mounts.addAll(request.mounts);
      LaunchSpec spec =
          new LaunchSpec(
              request.process,
              request.namespaces,
              root,
              request.readonlyRootfs,
              false,
              mounts,
              StandardLayout.devices(),
              request.masked,
              request.readonly,
              request.sysctls,
              request.hostname,
              "",
              request.cgroup,
              request.clamp);
      LiveContainer container = launcher.start(spec, request.io, keeperDir);
      started.add(container);
      return container;
    }
  }

  /** Runs it to its end: exit status, output and errors, and lets the keeper go. */
  Result run(Request request) throws IOException, InterruptedException {
    return finish(start(request));
  }

  Result run(Path rootfs, String script) throws IOException, InterruptedException {
    return run(new Request(rootfs, shell(script)));
  }

  Result finish(LiveContainer container) throws InterruptedException {
    String out = readAll(container.stdout().orElseThrow(), container);
    String err = readAll(container.stderr().orElseThrow(), container);
    ExitRecord exit = container.awaitExit(LIMIT).orElseThrow();
    container.acknowledge();
    container.close();
    return new Result(exit, out, err);
  }

  Result run(LiveExec exec) throws InterruptedException {
    String out = readToEnd(exec.stdout().orElseThrow());
    String err = readToEnd(exec.stderr().orElseThrow());
    ExitRecord exit = exec.awaitExit(LIMIT).orElseThrow();
    exec.close();
    return new Result(exit, out, err);
  }

  /** What there is after the process ended: the keeper holds the pipe open, so no end of file. */
  String readAll(Fd pipe, LiveContainer container) throws InterruptedException {
    kernel.files().setStatusFlags(pipe, OpenFlags.O_NONBLOCK);
    StringBuilder text = new StringBuilder();
    boolean ended = false;
    while (true) {
      String more = readSome(pipe);
      text.append(more);
      if (more.isEmpty()) {
        if (ended) {
          return text.toString();
        }
        ended = container.awaitExit(Duration.ofMillis(5)).isPresent();
      }
    }
  }

  String readSome(Fd pipe) {
    ByteBuffer buffer = ByteBuffer.allocateDirect(65536);
    try {
      kernel.files().read(pipe, buffer);
    } catch (io.jrt.linux.KernelException e) {
      if (!e.is(io.jrt.linux.Errno.EAGAIN, io.jrt.linux.Errno.EIO)) {
        throw e;
      }
    }
    return StandardCharsets.UTF_8.decode(buffer.flip()).toString();
  }

  String readToEnd(Fd pipe) {
    StringBuilder text = new StringBuilder();
    while (true) {
      String more = readSome(pipe);
      if (more.isEmpty()) {
        return text.toString();
      }
      text.append(more);
    }
  }

  /** Reads until the text has appeared. */
  String readUntil(Fd fd, String wanted) throws InterruptedException {
    kernel.files().setStatusFlags(fd, OpenFlags.O_NONBLOCK);
    StringBuilder text = new StringBuilder();
    long deadline = System.nanoTime() + LIMIT.toNanos();
    while (text.indexOf(wanted) < 0) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError("\"" + wanted + "\" did not appear in \"" + text + '"');
      }
      text.append(readSome(fd));
      Thread.sleep(2);
    }
    return text.toString();
  }

  /** A file of /proc/sys in one read call: the JDK reads one byte first and then finds an end. */
  String sysctl(String name) {
    return kernel.files().readString(Fd.CWD, "/proc/sys/" + name).strip();
  }

  void write(Fd fd, String text) {
    kernel.files().writeFully(fd, text.getBytes(StandardCharsets.UTF_8));
  }

  void close() throws IOException, InterruptedException {
    for (LiveContainer container : started) {
      // One that ended at once has no pidfd, and a keeper all the same.
      if (container.pidfd().map(Fd::isOpen).orElse(true)) {
        try {
          container.kill(Signals.SIGKILL);
          container.awaitExit(LIMIT);
          container.acknowledge();
        } catch (io.jrt.errors.JrtException e) {
          // Its keeper was killed: there is none to let go.
        } finally {
          container.close();
        }
      }
    }
    launcher.close();
    poller.close();
    deleteTree(directory);
  }

  static void deleteTree(Path directory) throws IOException {
    try (Stream<Path> all = Files.walk(directory)) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }

  /** How it ended and what it said. */
  record Result(ExitRecord exit, String out, String err) {
    int status() {
      return exit.status();
    }
  }

  /** A start with standard values, to be changed one by one. */
  static final class Request {
    final Path rootfs;
    ProcessSpec process;
    NamespacePlan namespaces = NamespacePlan.ISOLATED;
    LaunchIo io = new LaunchIo.Pipes(false);
    boolean readonlyRootfs;
    boolean clamp;
    List<MountStep> mounts = List.of();
    List<CString> masked = List.of();
    List<CString> readonly = List.of();
    Map<String, String> sysctls = Map.of();
    String hostname = "";
    CgroupPlacement cgroup = CgroupPlacement.NONE;

    Request(Path rootfs, ProcessSpec process) {
      this.rootfs = rootfs;
      this.process = process;
    }
  }

  /** Changes of a process spec for the cases of the tests. */
  static ProcessSpec with(
      ProcessSpec spec,
      @Nullable Credentials user,
      @Nullable Capabilities capabilities,
      @Nullable Boolean noNewPrivileges,
      @Nullable SeccompFilter seccomp,
      @Nullable String cwd) {
    return new ProcessSpec(
        spec.args(),
        spec.env(),
        cwd == null ? spec.cwd() : CString.of(cwd),
        user == null ? spec.user() : user,
        capabilities == null ? spec.capabilities() : capabilities,
        spec.rlimits(),
        noNewPrivileges == null ? spec.noNewPrivileges() : noNewPrivileges,
        seccomp == null ? spec.seccomp() : seccomp,
        spec.apparmorProfile(),
        spec.selinuxLabel(),
        spec.oomScoreAdj());
  }
}
