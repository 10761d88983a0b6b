package io.jrt.core.launch;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Errno;
import io.jrt.linux.Fd;
import io.jrt.linux.Files;
import io.jrt.linux.Kernel;
import io.jrt.linux.KernelException;
import io.jrt.linux.OpenFlags;
import io.jrt.linux.Poller;
import io.jrt.linux.Signals;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * {@link Launcher} by jrt-init.
 *
 * <p>A start makes a keeper, gives it the plan and every descriptor in one go, and waits for its
 * one answer. From then on, and after a restart of the daemon, everything is taken from the keeper
 * in the same way: its record says which of its descriptors are what.
 */
public final class LinuxLauncher implements Launcher {
  private static final String START = "start container";
  private static final String ADOPT = "adopt container";
  private static final Duration KEEPER_PATIENCE = Duration.ofSeconds(10);
  private static final Duration KEEPER_POLL = Duration.ofMillis(2);

  private final Kernel kernel;
  private final Poller poller;
  private final Fd program;

  /**
   * @param poller stays the caller's
   * @param jrtInit the program's file
   */
  public LinuxLauncher(Kernel kernel, Poller poller, Path jrtInit) {
    this.kernel = kernel;
    this.poller = poller;
    this.program = InitBinary.open(kernel, jrtInit);
  }

  @Override
  public LiveContainer start(LaunchSpec spec, LaunchIo io, Path keeperDir) {
    return start(spec, io, keeperDir, false, Optional.empty());
  }

  @Override
  public LiveContainer start(LaunchSpec spec, LaunchIo io, Path keeperDir, RootfsGate gate) {
    return start(spec, io, keeperDir, false, Optional.of(gate));
  }

  @Override
  public LiveContainer startPodInit(
      NamespacePlan namespaces, CgroupPlacement cgroup, Path keeperDir, PodInitLabel label) {
    if (!(namespaces.pid() instanceof NamespaceSource.New)) {
      throw new IllegalArgumentException("a pod's init needs a new pid namespace");
    }
    ProcessSpec process =
        new ProcessSpec(
            CString.listOf("jrt-init", "podinit"),
            List.of(),
            CString.of("/"),
            Credentials.ROOT,
            Capabilities.NONE,
            List.of(),
            true,
            SeccompFilter.NONE,
            "",
            label.process(),
            ProcessSpec.LEAVE_OOM_SCORE);
    try (Fd root = podInitRoot(label)) {
      LaunchSpec spec =
          new LaunchSpec(
              process,
              namespaces,
              root,
              true,
              false,
              List.of(),
              List.of(),
              List.of(),
              List.of(),
              Map.of(),
              "",
              "",
              cgroup,
              true);
      return start(spec, new LaunchIo.Pipes(false), keeperDir, true, Optional.empty());
    }
  }

  /**
   * An empty root. A policy of SELinux lets a container begin with a file of its root alone, so a
   * labelled one has a copy of jrt-init in it.
   */
  private Fd podInitRoot(PodInitLabel label) {
    if (label.process().isEmpty()) {
      return kernel.mounts().tmpfs(Map.of("size", "4k", "mode", "555"), 0);
    }
    Fd root =
        kernel.mounts().tmpfs(Map.of("size", "256k", "mode", "555", "context", label.root()), 0);
    try (Fd copy =
        kernel.files().openat(root, "jrt-init", OpenFlags.O_WRONLY | OpenFlags.O_CREAT, 0555)) {
      byte[] content = java.nio.file.Files.readAllBytes(Path.of(program.procPath()));
      kernel.files().writeFully(copy, ByteBuffer.wrap(content));
      return root;
    } catch (IOException e) {
      root.close();
      throw new JrtException(
          ErrorKind.UNAVAILABLE, START, "cannot copy jrt-init: " + e.getMessage(), e);
    } catch (RuntimeException e) {
      root.close();
      throw e;
    }
  }

  private LiveContainer start(
      LaunchSpec spec, LaunchIo io, Path keeperDir, boolean podInit, Optional<RootfsGate> gate) {
    Files files = kernel.files();
    try (Fd directory = files.openDirectory(keeperDir);
        Fd lock =
            files.openat(
                directory,
                Records.LOCK,
                OpenFlags.O_RDWR | OpenFlags.O_CREAT | OpenFlags.O_NOFOLLOW,
                0600)) {
      // Taken before there is a keeper: who finds it free knows that no container can come any
      // more.
      if (!files.tryFlock(lock)) {
        throw new JrtException(
            ErrorKind.ALREADY_EXISTS, START, "a container is kept in " + keeperDir + " already");
      }
      try {
        return start(spec, io, keeperDir, podInit, gate, directory, lock);
      } catch (RuntimeException e) {
        clear(files, directory);
        throw e;
      }
    }
  }

  private LiveContainer start(
      LaunchSpec spec,
      LaunchIo io,
      Path keeperDir,
      boolean podInit,
      Optional<RootfsGate> gate,
      Fd directory,
      Fd lock) {
    PlanWriter plan = Plans.container(spec, io, directory, lock, podInit, gate);
    Supervisor keeper = Supervisor.start(kernel, program, "keeper", plan, Duration.ZERO);
    try {
      Optional<Report> answer = keeper.await(kernel, poller, START);
      if (answer.isPresent() && answer.get().kind() == Report.Kind.HOOKS) {
        pass(keeper, gate.orElseThrow(), answer.get());
        answer = keeper.await(kernel, poller, START);
      }
      if (answer.isPresent() && answer.get().kind() == Report.Kind.STARTED) {
        Records.Started started = Records.Started.parse(answer.get().text());
        keeper.socket().close();
        return KeptContainer.take(
            kernel,
            poller,
            program,
            keeperDir,
            keeper.pid(),
            Fd.own(keeper.pidfd().detach()),
            true,
            started);
      }
      keeper.reap(kernel);
      throw answer
          .map(report -> StartFailure.ofContainer(spec, gate, report))
          .orElseGet(
              () ->
                  new JrtException(ErrorKind.INTERNAL, START, "jrt-init ended without saying why"));
    } catch (RuntimeException e) {
      if (keeper.pidfd().isOpen()) {
        keeper.abandon(kernel, Duration.ZERO);
      }
      throw e;
    }
  }

  /** Lets the waiting process go on once what must be done before is done. */
  private void pass(Supervisor keeper, RootfsGate gate, Report report) {
    try {
      gate.run().accept(Integer.parseInt(report.text()));
    } catch (RuntimeException e) {
      keeper.reap(kernel); // its socket's end tells it to end the process
      throw e;
    }
    kernel.sockets().send(keeper.socket(), ByteBuffer.wrap(new byte[] {1}));
  }

  private static void clear(Files files, Fd directory) {
    for (String name :
        List.of(
            Records.KEEPER,
            Records.INIT,
            Records.EXIT,
            Records.EXIT_TO_BE,
            Records.CONTROL,
            Records.LOCK)) {
      files.unlinkIfPresent(directory, name, 0);
    }
  }

  @Override
  public Adopted adopt(Path keeperDir) {
    Files files = kernel.files();
    try (Fd directory = files.openDirectory(keeperDir)) {
      long deadline = System.nanoTime() + KEEPER_PATIENCE.toNanos();
      while (true) {
        if (keeperGone(files, directory)) {
          return remains(files, directory);
        }
        Optional<String> keeper = Records.read(files, directory, Records.KEEPER);
        Optional<String> init = Records.read(files, directory, Records.INIT);
        if (keeper.isPresent() && init.isPresent()) {
          Optional<LiveContainer> held =
              hold(
                  keeperDir,
                  Records.Identity.parse(keeper.get()),
                  Records.Started.parse(init.get()));
          if (held.isPresent()) {
            return new Adopted.Held(held.get());
          }
        } else if (System.nanoTime() > deadline) {
          throw new JrtException(
              ErrorKind.UNAVAILABLE,
              ADOPT,
              "the start of the container in "
                  + keeperDir
                  + " was under way and does not come to an end",
              "its cgroup may be frozen or have no processor time",
              null);
        }
        Thread.sleep(KEEPER_POLL);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new JrtException(ErrorKind.CANCELLED, ADOPT, "interrupted", e);
    }
  }

  /** The keeper has the lock from before its start to its end. */
  private static boolean keeperGone(Files files, Fd directory) {
    try (Fd lock = files.openat(directory, Records.LOCK, OpenFlags.O_RDWR | OpenFlags.O_NOFOLLOW)) {
      return files.tryFlock(lock);
    } catch (KernelException e) {
      if (e.is(Errno.ENOENT)) {
        return true;
      }
      throw e;
    }
  }

  private Optional<LiveContainer> hold(
      Path keeperDir, Records.Identity keeper, Records.Started started) {
    Fd pidfd;
    try {
      pidfd = kernel.processes().pidfdOpen(keeper.pid());
    } catch (KernelException e) {
      if (e.is(Errno.ESRCH)) {
        return Optional.empty();
      }
      throw e;
    }
    try {
      if (kernel.processes().startTime(keeper.pid()).orElse(-1) != keeper.start()) {
        pidfd.close();
        return Optional.empty();
      }
      return Optional.of(
          KeptContainer.take(
              kernel, poller, program, keeperDir, keeper.pid(), pidfd, false, started));
    } catch (RuntimeException e) {
      pidfd.close();
      throw e;
    }
  }

  /** What a keeper that is gone left behind. */
  private Adopted remains(Files files, Fd directory) {
    Optional<String> exit = Records.read(files, directory, Records.EXIT);
    if (exit.isPresent()) {
      return new Adopted.Ended(Records.parseExit(exit.get()));
    }
    Optional<String> init = Records.read(files, directory, Records.INIT);
    if (init.isEmpty()) {
      return new Adopted.NeverStarted();
    }
    endOrphan(Records.Started.parse(init.get()).process());
    return new Adopted.Lost();
  }

  @Override
  public void discard(Path keeperDir) {
    Files files = kernel.files();
    try (Fd directory = files.openDirectory(keeperDir)) {
      Records.read(files, directory, Records.KEEPER)
          .map(Records.Identity::parse)
          .ifPresent(this::endOrphan);
    }
  }

  /** A container whose end nobody would see must not go on. */
  private void endOrphan(Records.Identity process) {
    try (Fd pidfd = kernel.processes().pidfdOpen(process.pid())) {
      if (kernel.processes().startTime(process.pid()).orElse(-1) == process.start()) {
        kernel.processes().pidfdSendSignal(pidfd, Signals.SIGKILL);
      }
    } catch (KernelException e) {
      if (!e.is(Errno.ESRCH)) {
        throw e;
      }
    }
  }

  @Override
  public void close() {
    program.close();
  }
}
