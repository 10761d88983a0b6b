package io.jrt.server.config;

import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.databind.DeserializationContext;
import tools.jackson.databind.SerializationContext;
import tools.jackson.databind.deser.std.StdDeserializer;
import tools.jackson.databind.module.SimpleModule;
import tools.jackson.databind.ser.std.StdSerializer;

/** Times as people write them: {@code 250ms}, {@code 30s}, {@code 2m}, {@code 4h}. */
final class Durations {
  private static final Pattern FORM = Pattern.compile("(\\d{1,12}) ?(ms|s|m|h)");

  private Durations() {}

  static Duration parse(String text) {
    Matcher matcher = FORM.matcher(text);
    if (!matcher.matches()) {
      throw new IllegalArgumentException(
          "'" + text + "' is no time; write it like 250ms, 30s, 2m or 4h");
    }
    long number = Long.parseLong(matcher.group(1));
    return switch (matcher.group(2)) {
      case "ms" -> Duration.ofMillis(number);
      case "s" -> Duration.ofSeconds(number);
      case "m" -> Duration.ofMinutes(number);
      default -> Duration.ofHours(number);
    };
  }

  static String format(Duration duration) {
    long millis = duration.toMillis();
    if (millis % 1000 != 0) {
      return millis + "ms";
    }
    long seconds = millis / 1000;
    if (seconds % 60 != 0 || seconds == 0) {
      return seconds + "s";
    }
    return seconds % 3600 == 0 ? seconds / 3600 + "h" : seconds / 60 + "m";
  }

  static SimpleModule module() {
    return new SimpleModule()
        .addSerializer(
            new StdSerializer<Duration>(Duration.class) {
              @Override
              public void serialize(
                  Duration value, JsonGenerator generator, SerializationContext context) {
                generator.writeString(format(value));
              }
            })
        .addDeserializer(
            Duration.class,
            new StdDeserializer<Duration>(Duration.class) {
              @Override
              public Duration deserialize(JsonParser parser, DeserializationContext context) {
                try {
                  return parse(parser.getString());
                } catch (IllegalArgumentException e) {
                  throw context.instantiationException(Duration.class, e);
                }
              }
            });
  }
}
