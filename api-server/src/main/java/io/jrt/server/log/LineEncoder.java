package io.jrt.server.log;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.encoder.EncoderBase;
import io.jrt.server.config.LogConfig;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;

/** Writes a log event in one of the three forms. */
final class LineEncoder extends EncoderBase<ILoggingEvent> {
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("HH:mm:ss.SSS").withZone(ZoneId.systemDefault());
  private static final byte[] NOTHING = new byte[0];

  private final LogConfig.Format format;
  private final JsonMapper json = JsonMapper.builder().build();

  /**
   * @param format any but {@code AUTO}
   */
  LineEncoder(LogConfig.Format format) {
    this.format = format;
  }

  @Override
  public byte[] headerBytes() {
    return NOTHING;
  }

  @Override
  public byte[] footerBytes() {
    return NOTHING;
  }

  @Override
  public byte[] encode(ILoggingEvent event) {
    return line(event).getBytes(StandardCharsets.UTF_8);
  }

  String line(ILoggingEvent event) {
    String message = Redaction.of(String.valueOf(event.getFormattedMessage()));
    String trace =
        event.getThrowableProxy() == null
            ? ""
            : Redaction.of(ThrowableProxyUtil.asString(event.getThrowableProxy()));
    return switch (format) {
      case JSON -> json(event, message, trace);
      case JOURNAL -> journal(event, message, trace);
      case TEXT, AUTO -> text(event, message, trace);
    };
  }

  private static String text(ILoggingEvent event, String message, String trace) {
    return "%s %-5s %s: %s%s%n%s"
        .formatted(
            TIME.format(event.getInstant()),
            level(event),
            part(event.getLoggerName()),
            message,
            request(event),
            trace);
  }

  /** systemd takes each line for an entry of its own, so each one tells its priority. */
  private static String journal(ILoggingEvent event, String message, String trace) {
    String prefix = "<" + priority(event.getLevel()) + ">";
    StringBuilder out = new StringBuilder();
    (part(event.getLoggerName()) + ": " + message + request(event) + "\n" + trace)
        .lines()
        .forEach(line -> out.append(prefix).append(line).append('\n'));
    return out.toString();
  }

  private String json(ILoggingEvent event, String message, String trace) {
    Map<String, Object> fields = new LinkedHashMap<>();
    Instant at = event.getInstant();
    fields.put("time", at.toString());
    fields.put("level", level(event));
    fields.put("part", part(event.getLoggerName()));
    fields.put("message", message);
    event.getMDCPropertyMap().forEach(fields::putIfAbsent);
    if (!trace.isEmpty()) {
      fields.put("error", trace);
    }
    return json.writeValueAsString(fields) + "\n";
  }

  /** The id of the call that it was logged for, behind a blank. */
  private static String request(ILoggingEvent event) {
    String id = event.getMDCPropertyMap().get("request");
    return id == null ? "" : " [" + id + "]";
  }

  private static String level(ILoggingEvent event) {
    return event.getLevel().toString().toLowerCase(Locale.ROOT);
  }

  /** The class without its package. */
  private static String part(String logger) {
    return logger.substring(logger.lastIndexOf('.') + 1);
  }

  private static int priority(Level level) {
    return switch (level.toInt()) {
      case Level.ERROR_INT -> 3;
      case Level.WARN_INT -> 4;
      case Level.INFO_INT -> 6;
      default -> 7;
    };
  }
}
