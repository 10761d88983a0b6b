package io.jrt.server.systemd;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Fd;
import io.jrt.linux.Kernel;
import io.jrt.linux.KernelException;
import io.jrt.linux.OpenFlags;
import io.jrt.linux.Sockets;
import java.util.Map;
import java.util.OptionalInt;

/**
 * Socket activation: systemd listens, starts the daemon with the first client and hands the socket
 * over as descriptor 3 (sd_listen_fds(3)). It stays systemd's: no client is refused while the
 * daemon is restarted.
 */
public final class Activation {
  private static final int FIRST = 3;
  private static final int SO_ACCEPTCONN = 30;
  private static final int SO_DOMAIN = 39;

  private Activation() {}

  /**
   * The descriptor on which to listen; empty when this process was started without.
   *
   * @throws JrtException INVALID when what was handed over is not one listening unix socket
   */
  public static OptionalInt listener(Kernel kernel, Map<String, String> environment) {
    String count = environment.getOrDefault("LISTEN_FDS", "");
    if (count.isEmpty()
        || !environment.getOrDefault("LISTEN_PID", "").equals("" + kernel.processes().pid())) {
      return OptionalInt.empty();
    }
    if (!count.equals("1") || !takesClients(kernel)) {
      throw new JrtException(
          ErrorKind.INVALID,
          "listen",
          "systemd handed over %s descriptors, not one listening unix socket".formatted(count),
          "jrtd.socket has one ListenStream, the daemon's socket",
          null);
    }
    return OptionalInt.of(FIRST);
  }

  /** Whether it listens on a unix socket; then it is made ready for an event loop. */
  private static boolean takesClients(Kernel kernel) {
    Sockets sockets = kernel.sockets();
    Fd handed = Fd.own(FIRST);
    try {
      boolean listens =
          sockets.intOption(handed, Sockets.SOL_SOCKET, SO_DOMAIN) == Sockets.AF_UNIX
              && sockets.intOption(handed, Sockets.SOL_SOCKET, SO_ACCEPTCONN) == 1;
      if (listens) {
        int flags = kernel.files().statusFlags(handed);
        kernel.files().setStatusFlags(handed, flags | OpenFlags.O_NONBLOCK);
        kernel.files().setCloseOnExec(handed, true);
      }
      return listens;
    } catch (KernelException e) {
      return false;
    } finally {
      handed.detach();
    }
  }
}
