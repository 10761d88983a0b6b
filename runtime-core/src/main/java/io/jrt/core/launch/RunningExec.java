package io.jrt.core.launch;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Fd;
import io.jrt.linux.Kernel;
import io.jrt.linux.Poller;
import io.jrt.linux.Terminals;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A process started in a running container, and its parent outside, which reports its end. */
final class RunningExec implements LiveExec {
  private static final String EXEC = "exec";

  private final Kernel kernel;
  private final Supervisor parent;
  private final Records.Started started;
  private final Fd pidfd;
  private final int containerPid;
  private final HeldStdio stdio;
  private final ExitLatch latch = new ExitLatch();
  private final AtomicBoolean reaped = new AtomicBoolean();
  private volatile Poller.@Nullable Registration registration;

  /** Ends its command and itself; a command in a frozen cgroup cannot end. */
  private static final Duration GRACE = Duration.ofSeconds(1);

  private RunningExec(
      Kernel kernel,
      Supervisor parent,
      Records.Started started,
      Fd pidfd,
      int containerPid,
      HeldStdio stdio) {
    this.kernel = kernel;
    this.parent = parent;
    this.started = started;
    this.pidfd = pidfd;
    this.containerPid = containerPid;
    this.stdio = stdio;
  }

  static RunningExec start(
      Kernel kernel,
      Poller poller,
      Fd program,
      ExecSpec spec,
      LaunchIo io,
      Fd container,
      int containerPid) {
    PlanWriter plan = Plans.exec(spec, io, container, containerPid);
    Supervisor parent = Supervisor.start(kernel, program, "exec", plan, GRACE);
    try {
      Optional<Report> answer = parent.await(kernel, poller, EXEC);
      if (answer.isEmpty() || answer.get().kind() != Report.Kind.STARTED) {
        parent.reap(kernel);
        throw answer
            .map(report -> StartFailure.ofExec(spec, report))
            .orElseGet(
                () ->
                    new JrtException(
                        ErrorKind.INTERNAL, EXEC, "jrt-init ended without saying why"));
      }
      Records.Started started = Records.Started.parse(answer.get().text());
      return take(kernel, poller, parent, started, containerPid);
    } catch (RuntimeException e) {
      if (parent.pidfd().isOpen()) {
        parent.abandon(kernel, GRACE);
      }
      throw e;
    }
  }

  private static RunningExec take(
      Kernel kernel, Poller poller, Supervisor parent, Records.Started started, int containerPid) {
    HeldStdio stdio = new HeldStdio(kernel, parent.pidfd(), started);
    Fd pidfd = null;
    try {
      // The parent waits for the word that follows before it reaps anything.
      pidfd = kernel.processes().pidfdOpen(started.process().pid());
      RunningExec exec = new RunningExec(kernel, parent, started, pidfd, containerPid, stdio);
      kernel.sockets().send(parent.socket(), ByteBuffer.allocate(1));
      exec.registration = poller.register(parent.socket(), Poller.EPOLLIN, events -> exec.ended());
      return exec;
    } catch (RuntimeException e) {
      stdio.close();
      if (pidfd != null) {
        pidfd.close();
      }
      throw e;
    }
  }

  private void ended() {
    Poller.Registration watched = registration;
    if (watched != null) {
      watched.close();
    }
    Optional<Report> report = Supervisor.receive(kernel, parent.socket());
    reap();
    if (report.isPresent() && report.get().kind() == Report.Kind.EXITED) {
      latch.complete(Records.parseExit(report.get().text()));
    } else {
      latch.lose(
          new JrtException(
              ErrorKind.DATA_LOSS,
              EXEC,
              "the parent of process " + pid() + " was killed, its exit code is lost"));
    }
  }

  private void reap() {
    if (reaped.compareAndSet(false, true)) {
      kernel.processes().waitFor(parent.pidfd());
    }
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
    return Optional.of(pidfd);
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
    stdio.closeStdin();
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
    return kernel.processes().pidfdSendSignal(pidfd, signal);
  }

  @Override
  public void killAll() {
    new Descendants(kernel, containerPid, started.process()).killAll();
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
  public void close() {
    Poller.Registration watched = registration;
    if (watched != null) {
      watched.close();
    }
    stdio.close();
    pidfd.close();
    parent.socket().close();
    // Without its daemon it kills the process and ends.
    reap();
    parent.pidfd().close();
  }
}
