package io.jrt.server.config;

import java.lang.reflect.RecordComponent;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** A configuration as the text of its file, each key with its comment. */
public final class ConfigText {
  private static final int WIDTH = 98;

  private final StringBuilder out = new StringBuilder();

  private ConfigText() {}

  /** The whole default file. */
  public static String ofDefaults() {
    return """
    # The configuration of jrtd. What is not given has the value shown here.
    # Drop-ins: config.d/*.toml beside this file, in the order of their names.
    """
        + of(Config.DEFAULT);
  }

  public static String of(Config config) {
    var text = new ConfigText();
    text.sections(config, "");
    return text.out.toString();
  }

  private void sections(Record record, String prefix) {
    for (Map.Entry<String, RecordComponent> entry : Keys.of(record.getClass()).entrySet()) {
      RecordComponent component = entry.getValue();
      if (Section.is(component)) {
        Record section = (Record) Keys.value(record, component);
        String name = prefix + entry.getKey();
        out.append('\n');
        comment(Keys.doc(component));
        out.append('[').append(name).append("]\n");
        values(section);
        sections(section, name + ".");
      }
    }
  }

  private void values(Record section) {
    for (Map.Entry<String, RecordComponent> entry : Keys.of(section.getClass()).entrySet()) {
      RecordComponent component = entry.getValue();
      if (!Section.is(component)) {
        boolean live = component.isAnnotationPresent(Live.class);
        comment(Keys.doc(component) + (live ? " A reload puts it in force." : ""));
        out.append(entry.getKey())
            .append(" = ")
            .append(value(Keys.value(section, component)))
            .append('\n');
      }
    }
  }

  private void comment(String text) {
    StringBuilder line = new StringBuilder("#");
    for (String word : text.split(" ")) {
      if (line.length() + 1 + word.length() > WIDTH) {
        out.append(line).append('\n');
        line = new StringBuilder("#");
      }
      line.append(' ').append(word);
    }
    out.append(line).append('\n');
  }

  private static String value(Object value) {
    return switch (value) {
      case String text -> quoted(text);
      case Path path -> quoted(path.toString());
      case ByteSize size -> quoted(size.toString());
      case Duration duration -> quoted(Durations.format(duration));
      case Enum<?> constant -> quoted(constant.name().toLowerCase(Locale.ROOT));
      case Boolean flag -> flag.toString();
      case Number number -> number.toString();
      case List<?> list ->
          list.stream().map(ConfigText::value).collect(Collectors.joining(", ", "[", "]"));
      case Map<?, ?> map ->
          new TreeMap<>(map)
              .entrySet().stream()
                  .map(one -> quoted(String.valueOf(one.getKey())) + " = " + value(one.getValue()))
                  .collect(Collectors.joining(", ", "{", "}"));
      default -> throw new IllegalStateException("no TOML for a " + value.getClass());
    };
  }

  private static String quoted(String text) {
    return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n") + '"';
  }
}
