package io.jrt.server.config;

import java.nio.file.Path;

/** Where the daemon keeps things and where it listens. */
public record DaemonConfig(
    @Doc("Images, snapshots and records: what must survive a reboot.") Path root,
    @Doc("Sockets, pins and runtime state: what may vanish with the boot.") Path state,
    @Doc("The socket of CRI and of the jrt command.") Path socket,
    @Doc(
            "A group of the node whose members may use the socket, which is as good as being root;"
                + " empty for root alone.")
        String socketGroup) {

  public static final DaemonConfig DEFAULT =
      new DaemonConfig(
          Path.of("/var/lib/jrt"), Path.of("/run/jrt"), Path.of("/run/jrt/jrt.sock"), "");
}
