package io.jrt.server.config;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.json.PlainRecords;
import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import tools.jackson.core.JacksonException;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.databind.DatabindException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.MapperFeature;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.databind.exc.InvalidFormatException;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;
import tools.jackson.dataformat.toml.TomlMapper;

/**
 * Reads the configuration: the defaults, then the file, then the drop-ins of the directory {@code
 * config.d} beside it in the order of their names; a later value replaces an earlier one key by
 * key.
 *
 * <p>A key that does not exist is an error with the nearest one that does. Every error names file,
 * line and key.
 */
final class ConfigReader {
  private static final String STEP = "read configuration";

  private final ObjectMapper toml = TomlMapper.builder().build();
  private final JsonMapper json =
      JsonMapper.builder()
          .propertyNamingStrategy(PropertyNamingStrategies.KEBAB_CASE)
          .enable(MapperFeature.ACCEPT_CASE_INSENSITIVE_ENUMS)
          .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .addModule(Durations.module())
          .addModule(new PlainRecords())
          .build();

  /**
   * @param required whether the file itself must be there
   */
  Config read(Path file, boolean required) {
    ObjectNode merged = tree(Config.DEFAULT);
    Config config = Config.DEFAULT;
    for (Path part : parts(file, required)) {
      String text = text(part);
      ObjectNode own = parse(part, text);
      checkKeys(part, text, own, Config.class, "");
      merge(merged, own);
      config = bind(part, text, merged);
    }
    return config;
  }

  /** The configuration as a tree whose keys are those of the file. */
  ObjectNode tree(Config config) {
    return json.valueToTree(config);
  }

  Config bind(ObjectNode tree) {
    return json.treeToValue(tree, Config.class);
  }

  private static List<Path> parts(Path file, boolean required) {
    List<Path> parts = new ArrayList<>();
    if (required || Files.exists(file)) {
      parts.add(file);
    }
    Path dropIns = file.toAbsolutePath().resolveSibling("config.d");
    if (Files.isDirectory(dropIns)) {
      List<Path> found = new ArrayList<>();
      try (DirectoryStream<Path> files = Files.newDirectoryStream(dropIns, "*.toml")) {
        files.forEach(found::add);
      } catch (IOException e) {
        throw new JrtException(ErrorKind.INVALID, STEP, "cannot list " + dropIns, e);
      }
      Collections.sort(found);
      parts.addAll(found);
    }
    return parts;
  }

  private static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new JrtException(
          ErrorKind.INVALID,
          STEP,
          Files.exists(file) ? "cannot read " + file + ": " + e : "there is no file " + file,
          "'jrtd --print-default-config' prints a file to begin with",
          e);
    }
  }

  private ObjectNode parse(Path file, String text) {
    try {
      return (ObjectNode) toml.readTree(text);
    } catch (JacksonException e) {
      TokenStreamLocation at = e.getLocation();
      int line = at == null ? 0 : at.getLineNr();
      throw wrong(file, line, firstLine(e.getOriginalMessage()), "", e);
    }
  }

  private static void checkKeys(
      Path file, String text, ObjectNode own, Class<?> record, String prefix) {
    Map<String, RecordComponent> known = Keys.of(record);
    for (Map.Entry<String, JsonNode> entry : own.properties()) {
      String key = prefix + entry.getKey();
      RecordComponent component = known.get(entry.getKey());
      if (component == null) {
        throw wrong(
            file,
            TomlLines.find(text, key),
            "there is no key " + key,
            "did you mean " + prefix + Keys.nearest(entry.getKey(), known.keySet()) + "?",
            null);
      }
      if (Section.is(component)) {
        if (!(entry.getValue() instanceof ObjectNode section)) {
          throw wrong(
              file, TomlLines.find(text, key), key + " is a table: write [" + key + "]", "", null);
        }
        checkKeys(file, text, section, component.getType(), key + ".");
      }
    }
  }

  private static void merge(ObjectNode into, ObjectNode from) {
    for (Map.Entry<String, JsonNode> entry : from.properties()) {
      if (entry.getValue() instanceof ObjectNode section
          && into.get(entry.getKey()) instanceof ObjectNode old) {
        merge(old, section);
      } else {
        into.set(entry.getKey(), entry.getValue());
      }
    }
  }

  private Config bind(Path file, String text, ObjectNode merged) {
    try {
      return bind(merged);
    } catch (DatabindException e) {
      String key =
          e.getPath().stream()
              .map(JacksonException.Reference::getPropertyName)
              .filter(name -> name != null)
              .collect(Collectors.joining("."));
      throw wrong(file, TomlLines.find(text, key), key + ": " + reason(e), "", e);
    }
  }

  private static String reason(DatabindException e) {
    if (e instanceof InvalidFormatException format && format.getTargetType().isEnum()) {
      String allowed =
          Arrays.stream(format.getTargetType().getEnumConstants())
              .map(constant -> constant.toString().toLowerCase(Locale.ROOT))
              .collect(Collectors.joining(", "));
      return "'" + format.getValue() + "' is not one of " + allowed;
    }
    Throwable cause = e;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    return cause instanceof IllegalArgumentException
        ? String.valueOf(cause.getMessage())
        : firstLine(e.getOriginalMessage());
  }

  private static String firstLine(String text) {
    return text.lines().findFirst().orElse("");
  }

  private static JrtException wrong(
      Path file,
      int line,
      String message,
      String hint,
      @org.jspecify.annotations.Nullable Throwable cause) {
    String place = line > 0 ? file + " line " + line : file.toString();
    return new JrtException(
        ErrorKind.INVALID, STEP, place + ": " + message, hint.isEmpty() ? null : hint, cause);
  }
}
