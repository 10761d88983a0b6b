package io.jrt.core.cgroup;

import io.jrt.linux.Fd;
import io.jrt.linux.Kernel;
import io.jrt.linux.Signals;
import io.jrt.linux.Sockets;
import io.jrt.linux.SpawnRequest;
import java.nio.file.Path;
import java.util.Map;

/**
 * A process that does nothing: systemd makes no scope without one and takes an empty one away. It
 * is a jrt-init that waits for a plan which never comes, so it ends with this daemon as well.
 */
final class ScopeAnchor implements AutoCloseable {
  private static final int SOCKET_IN_INIT = 3;

  private final Kernel kernel;
  private final int pid;
  private final Fd pidfd;
  private final Fd socket;

  private ScopeAnchor(Kernel kernel, int pid, Fd pidfd, Fd socket) {
    this.kernel = kernel;
    this.pid = pid;
    this.pidfd = pidfd;
    this.socket = socket;
  }

  static ScopeAnchor drop(Kernel kernel, Path jrtInit) {
    try (Sockets.SocketPair pair = kernel.sockets().socketpair(Sockets.SOCK_SEQPACKET)) {
      int pid =
          kernel
              .processes()
              .spawn(
                  SpawnRequest.of(
                      jrtInit.toString(),
                      Map.of(SOCKET_IN_INIT, pair.second()),
                      "jrt-init",
                      "keeper"));
      return new ScopeAnchor(
          kernel, pid, kernel.processes().pidfdOpen(pid), Fd.own(pair.first().detach()));
    }
  }

  int pid() {
    return pid;
  }

  @Override
  public void close() {
    socket.close();
    kernel.processes().pidfdSendSignal(pidfd, Signals.SIGKILL);
    kernel.processes().waitFor(pidfd);
    pidfd.close();
  }
}
