package io.jrt.image.content;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.json.PlainRecords;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** JSON from outside, read with limits; a field of the wrong kind is an error, never a guess. */
public final class Json {
  /** The most bytes that a document of an image may have. */
  public static final int MAX_DOCUMENT = 4 << 20;

  private static final JsonMapper MAPPER =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder()
                          .maxNestingDepth(64)
                          .maxDocumentLength(MAX_DOCUMENT)
                          .maxStringLength(1 << 20)
                          .maxNameLength(64 << 10)
                          .maxNumberLength(40)
                          .build())
                  // Two parsers that pick different twins of a key are the start of a confusion.
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .addModule(new PlainRecords())
          .build();

  private Json() {}

  /**
   * The object that the bytes hold.
   *
   * @param what names the document in errors
   * @throws JrtException INVALID
   */
  public static JsonNode object(String what, byte[] bytes) {
    if (bytes.length > MAX_DOCUMENT) {
      throw invalid(what, "is larger than " + MAX_DOCUMENT + " bytes", null);
    }
    JsonNode node = tree(what, bytes);
    if (!node.isObject()) {
      throw invalid(what, "is no JSON object", null);
    }
    return node;
  }

  /** As {@link #object}, for a document that is an array. */
  public static JsonNode array(String what, byte[] bytes) {
    if (bytes.length > MAX_DOCUMENT) {
      throw invalid(what, "is larger than " + MAX_DOCUMENT + " bytes", null);
    }
    JsonNode node = tree(what, bytes);
    if (!node.isArray()) {
      throw invalid(what, "is no JSON array", null);
    }
    return node;
  }

  private static JsonNode tree(String what, byte[] bytes) {
    try {
      return MAPPER.readTree(bytes);
    } catch (JacksonException e) {
      throw invalid(what, "cannot be read: " + e.getOriginalMessage(), e);
    }
  }

  /** The mapper, for our own records. */
  public static JsonMapper mapper() {
    return MAPPER;
  }

  /** A string field; empty when missing or null. */
  public static String text(String what, JsonNode object, String field) {
    JsonNode value = object.path(field);
    if (value.isMissingNode() || value.isNull()) {
      return "";
    }
    if (!value.isString()) {
      throw invalid(what, "has a '" + field + "' that is no string", null);
    }
    return value.stringValue();
  }

  /** A field that is true or false; false when missing or null. */
  public static boolean flag(String what, JsonNode object, String field) {
    JsonNode value = object.path(field);
    if (value.isMissingNode() || value.isNull()) {
      return false;
    }
    if (!value.isBoolean()) {
      throw invalid(what, "has a '" + field + "' that is neither true nor false", null);
    }
    return value.booleanValue();
  }

  /** A whole number that must be there. */
  public static long number(String what, JsonNode object, String field) {
    JsonNode value = object.path(field);
    if (!value.isIntegralNumber() || !value.canConvertToLong()) {
      throw invalid(what, "has a '" + field + "' that is no whole number", null);
    }
    return value.longValue();
  }

  /** An array of strings; empty when missing or null. */
  public static List<String> texts(String what, JsonNode object, String field) {
    JsonNode value = object.path(field);
    if (value.isMissingNode() || value.isNull()) {
      return List.of();
    }
    if (!value.isArray()) {
      throw invalid(what, "has a '" + field + "' that is no array", null);
    }
    var texts = new ArrayList<String>(value.size());
    for (JsonNode item : value) {
      if (!item.isString()) {
        throw invalid(what, "has a '" + field + "' with an item that is no string", null);
      }
      texts.add(item.stringValue());
    }
    return List.copyOf(texts);
  }

  /** An object of strings; empty when missing or null; null values are empty strings. */
  public static Map<String, String> textMap(String what, JsonNode object, String field) {
    var texts = new TreeMap<String, String>();
    JsonNode value = objectOrMissing(what, object, field);
    for (Map.Entry<String, JsonNode> entry : value.properties()) {
      JsonNode item = entry.getValue();
      if (!item.isString() && !item.isNull()) {
        throw invalid(what, "has a '" + field + "' with a value that is no string", null);
      }
      texts.put(entry.getKey(), item.isNull() ? "" : item.stringValue());
    }
    return Map.copyOf(texts);
  }

  /** The names of an object's fields, sorted; empty when missing or null. */
  public static List<String> keys(String what, JsonNode object, String field) {
    return objectOrMissing(what, object, field).properties().stream()
        .map(Map.Entry::getKey)
        .sorted()
        .toList();
  }

  /** An object field, or a node without fields when it is missing or null. */
  public static JsonNode objectOrMissing(String what, JsonNode object, String field) {
    JsonNode value = object.path(field);
    if (!value.isMissingNode() && !value.isNull() && !value.isObject()) {
      throw invalid(what, "has a '" + field + "' that is no object", null);
    }
    return value;
  }

  /** A file that a document names, against the directory that its paths are relative to. */
  public static Path path(String what, Path directory, String text) {
    try {
      return directory.resolve(text);
    } catch (InvalidPathException e) {
      String shown = text.replaceAll("\\p{Cntrl}", "?");
      throw invalid(what, "names a file '" + shown + "', which no file can be called", e);
    }
  }

  static JrtException invalid(
      String what, String why, @org.jspecify.annotations.Nullable Throwable cause) {
    return new JrtException(ErrorKind.INVALID, "read image", what + " " + why, cause);
  }
}
