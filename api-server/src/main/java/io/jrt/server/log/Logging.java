package io.jrt.server.log;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import io.jrt.server.config.LogConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.slf4j.LoggerFactory;
import org.slf4j.bridge.SLF4JBridgeHandler;

/** Sets up the log, on standard error. */
public final class Logging {
  private Logging() {}

  /** Puts the settings in force; may be called again. */
  public static void apply(LogConfig config) {
    apply((LoggerContext) LoggerFactory.getILoggerFactory(), config);
    // gRPC, Guava and OpenTelemetry write to the JDK's log.
    if (!SLF4JBridgeHandler.isInstalled()) {
      SLF4JBridgeHandler.removeHandlersForRootLogger();
      SLF4JBridgeHandler.install();
    }
  }

  static void apply(LoggerContext context, LogConfig config) {
    var encoder = new LineEncoder(resolve(config.format()));
    encoder.setContext(context);
    encoder.start();
    var appender = new ConsoleAppender<ILoggingEvent>();
    appender.setName("stderr");
    appender.setTarget("System.err");
    appender.setContext(context);
    appender.setEncoder(encoder);
    appender.start();
    Logger root = context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    root.detachAndStopAllAppenders();
    root.addAppender(appender);
    Level level = level(config.level());
    root.setLevel(level.isGreaterOrEqual(Level.INFO) ? level : Level.INFO);
    context.getLogger("io.jrt").setLevel(level);
    // What libraries say at a low level is wanted by nobody who debugs jrt.
    context.getLogger("org.freedesktop").setLevel(Level.WARN);
    context.getLogger("io.grpc").setLevel(Level.WARN);
    context.getLogger("io.netty").setLevel(Level.WARN);
  }

  private static LogConfig.Format resolve(LogConfig.Format format) {
    if (format != LogConfig.Format.AUTO) {
      return format;
    }
    if (standardErrorIsTerminal()) {
      return LogConfig.Format.TEXT;
    }
    return standardErrorIs(System.getenv().getOrDefault("JOURNAL_STREAM", ""))
        ? LogConfig.Format.JOURNAL
        : LogConfig.Format.JSON;
  }

  /**
   * Whether standard error is the file that systemd connected to the journal: a child that has it
   * redirected inherits the variable all the same (systemd.exec(5)).
   *
   * @param stream DEVICE:INODE
   */
  private static boolean standardErrorIs(String stream) {
    try {
      Path stderr = Path.of("/proc/self/fd/2");
      return stream.equals(
          Files.getAttribute(stderr, "unix:dev") + ":" + Files.getAttribute(stderr, "unix:ino"));
    } catch (IOException | UnsupportedOperationException e) {
      return false;
    }
  }

  private static boolean standardErrorIsTerminal() {
    try {
      String target = Files.readSymbolicLink(Path.of("/proc/self/fd/2")).toString();
      return target.startsWith("/dev/pts/")
          || target.startsWith("/dev/tty")
          || target.equals("/dev/console");
    } catch (IOException closed) {
      return false;
    }
  }

  private static Level level(LogConfig.Level level) {
    return switch (level) {
      case ERROR -> Level.ERROR;
      case WARN -> Level.WARN;
      case INFO -> Level.INFO;
      case DEBUG -> Level.DEBUG;
      case TRACE -> Level.TRACE;
    };
  }
}
