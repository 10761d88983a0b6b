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
import io.jrt.linux.Terminals;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A container and its keeper. Everything it has was copied from the keeper, so it is the same
 * whether this daemon started it or found it.
 */
final class KeptContainer implements LiveContainer {
  private static final int FIRST_RLIMIT_BIT = 2;
  private static final int CLAMPED_BITS = 32;
  private static final Duration KEEPER_PATIENCE = Duration.ofSeconds(10);

  private final Kernel kernel;
  private final Poller poller;
  private final Fd program;
  private final Path keeperDir;
  private final int keeperPid;
  private final Fd keeper;
  private final boolean ownChild;
  private final Records.Started started;
  private final @Nullable Fd pidfd;
  private final HeldStdio stdio;
  private final Fd done;
  private final ExitLatch latch = new ExitLatch();
  private final AtomicBoolean acknowledged = new AtomicBoolean();
  private volatile Poller.@Nullable Registration registration;

  private KeptContainer(
      Kernel kernel,
      Poller poller,
      Fd program,
      Path keeperDir,
      int keeperPid,
      Fd keeper,
      boolean ownChild,
      Records.Started started,
      @Nullable Fd pidfd,
      HeldStdio stdio,
      Fd done) {
    this.kernel = kernel;
    this.poller = poller;
    this.program = program;
    this.keeperDir = keeperDir;
    this.keeperPid = keeperPid;
    this.keeper = keeper;
    this.ownChild = ownChild;
    this.started = started;
    this.pidfd = pidfd;
    this.stdio = stdio;
    this.done = done;
  }

  /**
   * Copies what the keeper holds and begins to watch for the end.
   *
   * @param program jrt-init, open; stays the launcher's
   * @param keeper pidfd of the keeper; owned by the container from now on
   * @param ownChild whether the keeper is to be reaped by this daemon
   */
  static KeptContainer take(
      Kernel kernel,
      Poller poller,
      Fd program,
      Path keeperDir,
      int keeperPid,
      Fd keeper,
      boolean ownChild,
      Records.Started started) {
    List<Fd> opened = new ArrayList<>();
    HeldStdio stdio = new HeldStdio(kernel, keeper, started);
    try {
      Fd done = kernel.processes().pidfdGetfd(keeper, started.done());
      opened.add(done);
      Fd pidfd = open(kernel, started.process());
      if (pidfd != null) {
        opened.add(pidfd);
      }
      KeptContainer container =
          new KeptContainer(
              kernel, poller, program, keeperDir, keeperPid, keeper, ownChild, started, pidfd,
              stdio, done);
      Optional<ExitRecord> ended = container.readExit();
      if (ended.isPresent()) {
        container.latch.complete(ended.get());
      } else {
        container.registration = poller.register(done, Poller.EPOLLIN, events -> container.ended());
      }
      return container;
    } catch (RuntimeException e) {
      opened.forEach(Fd::close);
      stdio.close();
      throw e;
    }
  }

  private static @Nullable Fd open(Kernel kernel, Records.Identity process) {
    Fd pidfd;
    try {
      pidfd = kernel.processes().pidfdOpen(process.pid());
    } catch (KernelException e) {
      if (e.is(Errno.ESRCH)) {
        return null;
      }
      throw e;
    }
    // Opened first and compared then: a pid that was taken over in between is found out.
    if (kernel.processes().startTime(process.pid()).orElse(-1) != process.start()) {
      pidfd.close();
      return null;
    }
    return pidfd;
  }

  /** The keeper wrote its record, or died: both close the pipe that nobody writes to. */
  private void ended() {
    Poller.Registration watched = registration;
    if (watched != null) {
      watched.close();
    }
    Optional<ExitRecord> exit = readExit();
    if (exit.isPresent()) {
      latch.complete(exit.get());
      return;
    }
    kill(Signals.SIGKILL);
    keeperEnded();
    latch.lose(
        new JrtException(
            ErrorKind.DATA_LOSS,
            "await container",
            "the keeper of process " + pid() + " was killed, its exit code is lost"));
  }

  private Optional<ExitRecord> readExit() {
    Files files = kernel.files();
    try (Fd directory = files.openDirectory(keeperDir)) {
      return Records.read(files, directory, Records.EXIT).map(Records::parseExit);
    }
  }

  @Override
  public Path keeperDir() {
    return keeperDir;
  }

  @Override
  public int keeperPid() {
    return keeperPid;
  }

  @Override
  public List<String> clamped() {
    List<String> words = new ArrayList<>();
    for (int bit = 0; bit < CLAMPED_BITS; bit++) {
      if ((started.clamped() >>> bit & 1) != 0) {
        words.add(
            switch (bit) {
              case 0 -> "oom score";
              case 1 -> "capabilities";
              default -> "resource limit number " + (bit - FIRST_RLIMIT_BIT);
            });
      }
    }
    return List.copyOf(words);
  }

  @Override
  public int pid() {
    return started.process().pid();
  }

  @Override
  public long startTime() {
    return started.process().start();
  }

  @Override
  public Optional<Fd> pidfd() {
    return Optional.ofNullable(pidfd);
  }

  @Override
  public Optional<Fd> stdin() {
    return stdio.stdin();
  }

  @Override
  public Optional<Fd> stdout() {
    return stdio.stdout();
  }

  @Override
  public Optional<Fd> stderr() {
    return stdio.stderr();
  }

  @Override
  public Optional<Fd> terminal() {
    return stdio.terminal();
  }

  @Override
  public void closeStdin() {
    if (stdio.closeStdin()) {
      command('i');
    }
  }

  @Override
  public void resize(int rows, int columns) {
    Fd terminal =
        stdio
            .terminal()
            .orElseThrow(
                () ->
                    new JrtException(
                        ErrorKind.FAILED_PRECONDITION,
                        "resize terminal",
                        "process " + pid() + " has no terminal"));
    kernel.terminals().setWindowSize(terminal, new Terminals.WindowSize(rows, columns));
  }

  @Override
  public boolean kill(int signal) {
    return pidfd != null && kernel.processes().pidfdSendSignal(pidfd, signal);
  }

  @Override
  public Optional<ExitRecord> exit() {
    return latch.now();
  }

  @Override
  public ExitRecord awaitExit() throws InterruptedException {
    return latch.await();
  }

  @Override
  public Optional<ExitRecord> awaitExit(Duration timeout) throws InterruptedException {
    return latch.await(timeout);
  }

  @Override
  public void onExit(Consumer<ExitRecord> action) {
    latch.onExit(action);
  }

  @Override
  public LiveExec exec(ExecSpec spec, LaunchIo io) {
    if (pidfd == null || latch.now().isPresent()) {
      throw new JrtException(
          ErrorKind.FAILED_PRECONDITION, "exec", "the container is not running any more");
    }
    return RunningExec.start(kernel, poller, program, spec, io, pidfd, pid());
  }

  @Override
  public void acknowledge() {
    if (latch.now().isEmpty()) {
      throw new JrtException(
          ErrorKind.FAILED_PRECONDITION,
          "acknowledge exit",
          "process " + pid() + " has not ended, or its end is not known");
    }
    if (!acknowledged.compareAndSet(false, true)) {
      return;
    }
    try {
      kernel.failPoints().hit("keeper.acknowledge");
      if (!command('a')) {
        return;
      }
      kernel.failPoints().hit("keeper.acknowledged");
    } catch (RuntimeException e) {
      // What it knows is stored, so it may go without being asked; nobody would end it later.
      kernel.processes().pidfdSendSignal(keeper, Signals.SIGKILL);
    }
    keeperEnded();
  }

  /** Waits for the keeper's end, which is under way, and reaps it if it is this daemon's child. */
  private void keeperEnded() {
    CountDownLatch gone = new CountDownLatch(1);
    Poller.Registration watched =
        poller.register(keeper, Poller.EPOLLIN, events -> gone.countDown());
    try {
      if (gone.await(KEEPER_PATIENCE.toSeconds(), TimeUnit.SECONDS) && ownChild) {
        kernel.processes().poll(keeper, true);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      watched.close();
    }
  }

  /** Writes a command to the keeper; false when it is gone. */
  private boolean command(char command) {
    Files files = kernel.files();
    byte[] bytes = String.valueOf(command).getBytes(StandardCharsets.US_ASCII);
    try (Fd directory = files.openDirectory(keeperDir);
        Fd control =
            files.openat(
                directory,
                Records.CONTROL,
                OpenFlags.O_WRONLY | OpenFlags.O_NONBLOCK | OpenFlags.O_NOFOLLOW)) {
      files.writeFully(control, bytes);
      return true;
    } catch (KernelException e) {
      if (e.is(Errno.ENXIO, Errno.ENOENT, Errno.EPIPE)) {
        return false;
      }
      throw e;
    }
  }

  @Override
  public void close() {
    Poller.Registration watched = registration;
    if (watched != null) {
      watched.close();
    }
    stdio.close();
    done.close();
    if (pidfd != null) {
      pidfd.close();
    }
    keeper.close();
  }
}
