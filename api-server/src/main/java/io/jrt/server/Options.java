package io.jrt.server;

import io.jrt.server.config.Config;
import io.jrt.server.config.DaemonConfig;
import io.jrt.server.config.LogConfig;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What the command line of {@code jrtd} says.
 *
 * @param mode what is to be done
 */
record Options(
    Mode mode,
    Optional<Path> root,
    Optional<Path> state,
    Optional<Path> socket,
    Optional<Path> config,
    Optional<LogConfig.Level> logLevel) {

  static final Path DEFAULT_CONFIG = Path.of("/etc/jrt/config.toml");

  static final String USAGE =
      """
      Usage: jrtd [options]

      Serves CRI v1 and the jrt command on a unix socket, and runs pods and containers.

        --root DIR        images, snapshots and records (/var/lib/jrt)
        --state DIR       what may vanish with the boot (/run/jrt)
        --socket PATH     where to listen (jrt.sock in the state directory)
        --config FILE     the configuration (/etc/jrt/config.toml)
        --log-level LEVEL error, warn, info, debug or trace (info)
        --cleanup         kill every pod of this root and state, take every trace of both away, and
                          end; images, logs and named volumes too
        --print-default-config
                          print a configuration with every key and its meaning
        --check-config    read the configuration, say what is wrong with it, and end
        --version         print the version
        --help            print this

      Options go before the configuration. Daemons with different roots, states and sockets run
      side by side. SIGHUP reads the configuration anew, SIGTERM ends the daemon; containers go on.
      """;

  /** What is to be done. */
  enum Mode {
    SERVE,
    CLEAN_UP,
    PRINT_DEFAULT_CONFIG,
    CHECK_CONFIG,
    VERSION,
    HELP
  }

  /** The command line is wrong. */
  static final class UsageException extends Exception {
    private static final long serialVersionUID = 1L;

    UsageException(String message) {
      super(message);
    }
  }

  static Options parse(List<String> arguments) throws UsageException {
    Mode mode = Mode.SERVE;
    Optional<Path> root = Optional.empty();
    Optional<Path> state = Optional.empty();
    Optional<Path> socket = Optional.empty();
    Optional<Path> config = Optional.empty();
    Optional<LogConfig.Level> level = Optional.empty();
    Iterator<String> rest = arguments.iterator();
    while (rest.hasNext()) {
      String argument = rest.next();
      int equals = argument.indexOf('=');
      boolean joined = argument.startsWith("--") && equals > 0;
      String name = joined ? argument.substring(0, equals) : argument;
      Optional<String> value =
          joined ? Optional.of(argument.substring(equals + 1)) : Optional.empty();
      switch (name) {
        case "--help", "-h" -> mode = Mode.HELP;
        case "--version" -> mode = Mode.VERSION;
        case "--cleanup" -> mode = Mode.CLEAN_UP;
        case "--print-default-config" -> mode = Mode.PRINT_DEFAULT_CONFIG;
        case "--check-config" -> mode = Mode.CHECK_CONFIG;
        case "--root" -> root = Optional.of(path(name, value, rest));
        case "--state" -> state = Optional.of(path(name, value, rest));
        case "--socket" -> socket = Optional.of(path(name, value, rest));
        case "--config" -> config = Optional.of(path(name, value, rest));
        case "--log-level" -> level = Optional.of(level(value(name, value, rest)));
        default -> throw new UsageException("unknown option " + argument);
      }
    }
    return new Options(mode, root, state, socket, config, level);
  }

  private static String value(String name, Optional<String> joined, Iterator<String> rest)
      throws UsageException {
    if (joined.isPresent()) {
      return joined.get();
    }
    if (!rest.hasNext()) {
      throw new UsageException(name + " needs a value");
    }
    return rest.next();
  }

  private static Path path(String name, Optional<String> joined, Iterator<String> rest)
      throws UsageException {
    String value = value(name, joined, rest);
    if (value.isEmpty()) {
      throw new UsageException(name + " needs a path");
    }
    return Path.of(value).toAbsolutePath().normalize();
  }

  private static LogConfig.Level level(String text) throws UsageException {
    try {
      return LogConfig.Level.valueOf(text.toUpperCase(Locale.ROOT));
    } catch (IllegalArgumentException e) {
      String known =
          String.join(
              ", ",
              Arrays.stream(LogConfig.Level.values())
                  .map(level -> level.name().toLowerCase(Locale.ROOT))
                  .toList());
      throw new UsageException("--log-level " + text + " is not one of " + known);
    }
  }

  /** The configuration with what stands on the command line in its place. */
  Config over(Config config) {
    DaemonConfig daemon = config.daemon();
    boolean usualSocket = daemon.socket().equals(DaemonConfig.DEFAULT.socket());
    Path newState = state.orElse(daemon.state());
    // A second daemon that was given a state directory must not fight over the first one's socket.
    Path newSocket =
        socket.orElseGet(
            () ->
                usualSocket && state.isPresent() ? newState.resolve("jrt.sock") : daemon.socket());
    return new Config(
        new DaemonConfig(root.orElse(daemon.root()), newState, newSocket, daemon.socketGroup()),
        new LogConfig(logLevel.orElse(config.log().level()), config.log().format()),
        config.containers(),
        config.devices(),
        config.images(),
        config.network(),
        config.streaming(),
        config.events(),
        config.metrics(),
        config.traces(),
        config.nri());
  }
}
