package io.jrt.core.launch;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Errno;
import io.jrt.linux.Fd;
import io.jrt.linux.Kernel;
import io.jrt.linux.KernelException;
import io.jrt.linux.Poller;
import io.jrt.linux.Signals;
import io.jrt.linux.Sockets;
import io.jrt.linux.SpawnRequest;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A jrt-init that was started as the parent of a process, while it talks with this daemon: it is
 * given its plan and tells how it went.
 *
 * @param pid of the supervisor, a child of this daemon
 * @param socket to it, which keeps messages apart
 */
record Supervisor(int pid, Fd pidfd, Fd socket) implements AutoCloseable {
  private static final int SOCKET_IN_INIT = 3;

  /** Generous: a start takes milliseconds, but a cgroup may be frozen or out of processor time. */
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  /**
   * Starts the program in the role and hands it the plan.
   *
   * @param grace if that fails: see {@link #abandon}
   */
  static Supervisor start(Kernel kernel, Fd program, String role, PlanWriter plan, Duration grace) {
    try (Fd content = kernel.files().sealedMemfd("plan", plan.content());
        Sockets.SocketPair pair = kernel.sockets().socketpair(Sockets.SOCK_SEQPACKET)) {
      int pid = spawn(kernel, program, role, pair.second());
      Fd pidfd = kernel.processes().pidfdOpen(pid);
      List<Fd> fds = new ArrayList<>(plan.fds().size() + 1);
      fds.add(content);
      fds.addAll(plan.fds());
      ByteBuffer count = ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.nativeOrder());
      Supervisor supervisor = new Supervisor(pid, pidfd, Fd.own(pair.first().detach()));
      try {
        kernel.failPoints().hit("launch-" + role + ".hand-plan");
        kernel.sockets().sendWithFds(supervisor.socket, count.putInt(fds.size()).flip(), fds);
        kernel.failPoints().hit("launch-" + role + ".await");
      } catch (RuntimeException e) {
        supervisor.abandon(kernel, grace);
        throw e;
      }
      return supervisor;
    }
  }

  private static int spawn(Kernel kernel, Fd program, String role, Fd socket) {
    try {
      return kernel
          .processes()
          .spawn(
              SpawnRequest.of(
                  program.procPath(), Map.of(SOCKET_IN_INIT, socket), "jrt-init", role));
    } catch (KernelException e) {
      throw new JrtException(
          e.is(Errno.EAGAIN, Errno.ENOMEM) ? ErrorKind.EXHAUSTED : ErrorKind.UNAVAILABLE,
          "start jrt-init",
          "jrt-init cannot be started as %s: %s".formatted(role, e.errno().description()),
          e.is(Errno.EAGAIN) ? "the limit of tasks may be reached (TasksMax, pids.max)" : null,
          e);
    }
  }

  /** The next message; empty when it closed its end or died. */
  Optional<Report> await(Kernel kernel, Poller poller, String operation) {
    BlockingQueue<Optional<Report>> arrived = new ArrayBlockingQueue<>(1);
    AtomicBoolean answered = new AtomicBoolean();
    Poller.Registration registration =
        poller.register(
            socket,
            Poller.EPOLLIN,
            events -> {
              // Its hang-up may follow at once; by then the socket may have been closed.
              if (answered.compareAndSet(false, true)) {
                arrived.offer(receive(kernel, socket));
              }
            });
    try {
      Optional<Report> report = arrived.poll(PATIENCE.toSeconds(), TimeUnit.SECONDS);
      if (report == null) {
        throw new JrtException(
            ErrorKind.DEADLINE,
            operation,
            "the process did not come up within " + PATIENCE.toSeconds() + " s",
            "its cgroup may be frozen or have no processor time",
            null);
      }
      return report;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new JrtException(ErrorKind.CANCELLED, operation, "interrupted", e);
    } finally {
      registration.close();
    }
  }

  /** One message from a socket that has one, or its end. */
  static Optional<Report> receive(Kernel kernel, Fd socket) {
    ByteBuffer message = ByteBuffer.allocateDirect(Report.BYTES);
    try {
      Sockets.Received received = kernel.sockets().receive(socket, message);
      received.fds().forEach(Fd::close);
      if (received.length() < Report.BYTES) {
        return Optional.empty();
      }
      return Optional.of(Report.parse(message.rewind().limit(Report.BYTES)));
    } catch (KernelException e) {
      if (e.is(Errno.ECONNRESET)) {
        return Optional.empty();
      }
      throw e;
    }
  }

  /**
   * Ends it, reaps it, forgets it. What it may have started is left to the caller, but for what it
   * ends by itself.
   *
   * @param grace how long it has for that once nobody listens to it any more
   */
  void abandon(Kernel kernel, Duration grace) {
    socket.close();
    awaitEnd(kernel, grace);
    kernel.processes().pidfdSendSignal(pidfd, Signals.SIGKILL);
    kernel.processes().waitFor(pidfd);
    pidfd.close();
  }

  private void awaitEnd(Kernel kernel, Duration limit) {
    long end = System.nanoTime() + limit.toNanos();
    boolean interrupted = false;
    while (System.nanoTime() < end && kernel.processes().poll(pidfd, false).isEmpty()) {
      try {
        Thread.sleep(1);
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** Reaps it after it told a failure, when it ends by itself. */
  void reap(Kernel kernel) {
    socket.close();
    kernel.processes().waitFor(pidfd);
    pidfd.close();
  }

  @Override
  public void close() {
    socket.close();
    pidfd.close();
  }
}
