package io.jrt.server.config;

import java.nio.file.Path;
import java.time.Duration;

/** Whether NRI plugins may take part in the lives of pods and containers. */
public record NriConfig(
    @Doc(
            "The socket at which plugins connect, such as /var/run/nri/nri.sock; empty: there are"
                + " none. A plugin can do all that root can.")
        String socket,
    @Doc("How long a plugin may take to register, to be configured, and to learn what is there.")
        Duration registrationTimeout,
    @Doc("How long a plugin may take for each call; one that takes longer is let go.")
        Duration requestTimeout) {

  public static final NriConfig DEFAULT =
      new NriConfig("", Duration.ofSeconds(5), Duration.ofSeconds(2));

  public NriConfig {
    if (!socket.isEmpty() && !Path.of(socket).isAbsolute()) {
      throw new IllegalArgumentException("socket '%s' is not an absolute path".formatted(socket));
    }
    if (registrationTimeout.isZero() || requestTimeout.isZero()) {
      throw new IllegalArgumentException("a time limit of 0 lets no plugin take part");
    }
  }
}
