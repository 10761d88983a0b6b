package io.jrt.server.config;

/** What the daemon says of itself. */
public record LogConfig(
    @Doc("error, warn, info, debug or trace.") @Live Level level,
    @Doc(
            "auto, text, json or journal. auto is text on a terminal, journal below systemd, else"
                + " json.")
        Format format) {

  public static final LogConfig DEFAULT = new LogConfig(Level.INFO, Format.AUTO);

  /** How much. */
  public enum Level {
    ERROR,
    WARN,
    INFO,
    DEBUG,
    TRACE
  }

  /** How it looks. */
  public enum Format {
    /** Chosen by what standard error is. */
    AUTO,
    /** For people. */
    TEXT,
    /** One JSON object a line. */
    JSON,
    /** Text with systemd's priority before each line. */
    JOURNAL
  }
}
