package io.jrt.cli;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.MapEntry;
import com.google.protobuf.MessageOrBuilder;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * An answer as a tree of maps, lists and plain values, to be written as JSON or YAML. Messages
 * follow the JSON mapping of proto3: lower camel case, 64-bit numbers as strings, bytes in base64.
 */
final class Document {
  private final @Nullable Object root;

  private Document(@Nullable Object root) {
    this.root = root;
  }

  static Document of(MessageOrBuilder message) {
    return new Document(tree(message));
  }

  static Document parse(String json) {
    return new Document(new JsonReader(json).whole());
  }

  private static Map<String, @Nullable Object> tree(MessageOrBuilder message) {
    Map<String, @Nullable Object> tree = new LinkedHashMap<>();
    for (FieldDescriptor field : message.getDescriptorForType().getFields()) {
      if (field.isMapField()) {
        Map<String, @Nullable Object> map = new LinkedHashMap<>();
        for (Object entry : (List<?>) message.getField(field)) {
          MapEntry<?, ?> pair = (MapEntry<?, ?>) entry;
          FieldDescriptor value = field.getMessageType().findFieldByName("value");
          map.put(String.valueOf(pair.getKey()), plain(value, pair.getValue()));
        }
        tree.put(field.getJsonName(), map);
      } else if (field.isRepeated()) {
        List<@Nullable Object> list = new ArrayList<>();
        for (Object element : (List<?>) message.getField(field)) {
          list.add(plain(field, element));
        }
        tree.put(field.getJsonName(), list);
      } else if (!field.hasPresence() || message.hasField(field)) {
        tree.put(field.getJsonName(), plain(field, message.getField(field)));
      }
    }
    return tree;
  }

  private static @Nullable Object plain(FieldDescriptor field, Object value) {
    return switch (field.getJavaType()) {
      case MESSAGE -> tree((MessageOrBuilder) value);
      case ENUM -> ((EnumValueDescriptor) value).getName();
      case BYTE_STRING -> Base64.getEncoder().encodeToString(((ByteString) value).toByteArray());
      case LONG ->
          field.getType() == FieldDescriptor.Type.UINT64
              ? Long.toUnsignedString((Long) value)
              : value.toString();
      case INT, FLOAT, DOUBLE, BOOLEAN, STRING -> value;
    };
  }

  String json() {
    StringBuilder out = new StringBuilder();
    json(out, root, 0);
    return out.append('\n').toString();
  }

  private static void json(StringBuilder out, @Nullable Object value, int depth) {
    switch (value) {
      case Map<?, ?> map -> {
        if (map.isEmpty()) {
          out.append("{}");
          return;
        }
        String separator = "{";
        for (Map.Entry<?, ?> entry : map.entrySet()) {
          out.append(separator).append('\n').append("  ".repeat(depth + 1));
          quote(out, String.valueOf(entry.getKey()));
          out.append(": ");
          json(out, entry.getValue(), depth + 1);
          separator = ",";
        }
        out.append('\n').append("  ".repeat(depth)).append('}');
      }
      case List<?> list -> {
        if (list.isEmpty()) {
          out.append("[]");
          return;
        }
        String separator = "[";
        for (Object element : list) {
          out.append(separator).append('\n').append("  ".repeat(depth + 1));
          json(out, element, depth + 1);
          separator = ",";
        }
        out.append('\n').append("  ".repeat(depth)).append(']');
      }
      case String text -> quote(out, text);
      case null -> out.append("null");
      default -> out.append(value);
    }
  }

  private static void quote(StringBuilder out, String text) {
    out.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"' -> out.append("\\\"");
        case '\\' -> out.append("\\\\");
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        default -> {
          if (c < 0x20 || c == 0x7f) {
            out.append("\\u%04x".formatted((int) c));
          } else {
            out.append(c);
          }
        }
      }
    }
    out.append('"');
  }

  String yaml() {
    StringBuilder out = new StringBuilder();
    yaml(out, root, 0, false);
    return out.toString();
  }

  /** Writes a value; {@code inline} says that a key or a dash stands before it on the line. */
  private static void yaml(StringBuilder out, @Nullable Object value, int depth, boolean inline) {
    switch (value) {
      case Map<?, ?> map when !map.isEmpty() -> {
        boolean first = inline && out.charAt(out.length() - 1) == ' ';
        for (Map.Entry<?, ?> entry : map.entrySet()) {
          if (!first) {
            out.append("  ".repeat(depth));
          }
          first = false;
          scalar(out, String.valueOf(entry.getKey()));
          out.append(':');
          child(out, entry.getValue(), depth);
        }
      }
      case List<?> list when !list.isEmpty() -> {
        for (Object element : list) {
          out.append("  ".repeat(depth)).append("- ");
          if (element instanceof List<?> inner && !inner.isEmpty()) {
            out.setLength(out.length() - 1);
            out.append('\n');
            yaml(out, inner, depth + 1, false);
          } else {
            yaml(out, element, depth + 1, true);
          }
        }
      }
      case Map<?, ?> map -> out.append("{}\n");
      case List<?> list -> out.append("[]\n");
      case String text -> {
        scalar(out, text);
        out.append('\n');
      }
      case null -> out.append("null\n");
      default -> out.append(value).append('\n');
    }
  }

  private static void child(StringBuilder out, @Nullable Object value, int depth) {
    if (value instanceof Map<?, ?> map && !map.isEmpty()) {
      out.append('\n');
      yaml(out, map, depth + 1, false);
    } else if (value instanceof List<?> list && !list.isEmpty()) {
      out.append('\n');
      yaml(out, list, depth, false);
    } else {
      out.append(' ');
      yaml(out, value, depth, true);
    }
  }

  /** Plain where no reader of YAML 1.1 or 1.2 can take it for anything but this string. */
  private static void scalar(StringBuilder out, String text) {
    if (text.matches("[A-Za-z_/][A-Za-z0-9_./-]*")
        && !text.matches("(?i)true|false|yes|no|on|off|null|y|n")) {
      out.append(text);
    } else {
      quote(out, text);
    }
  }
}
