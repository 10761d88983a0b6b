package io.jrt.cli;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reads the JSON documents of the daemon (RFC 8259); numbers keep the digits they came with. */
final class JsonReader {
  private static final int MAX_DEPTH = 200;

  private final String text;
  private int at;

  JsonReader(String text) {
    this.text = text;
  }

  @Nullable Object whole() {
    Object value = value(0);
    space();
    if (at < text.length()) {
      throw bad("more after the end");
    }
    return value;
  }

  private @Nullable Object value(int depth) {
    space();
    if (at >= text.length() || depth > MAX_DEPTH) {
      throw bad("no value");
    }
    return switch (text.charAt(at)) {
      case '{' -> map(depth);
      case '[' -> list(depth);
      case '"' -> string();
      default -> word();
    };
  }

  private Map<String, @Nullable Object> map(int depth) {
    Map<String, @Nullable Object> map = new LinkedHashMap<>();
    at++;
    space();
    while (!take('}')) {
      if (!map.isEmpty() && !take(',')) {
        throw bad("no comma");
      }
      space();
      String key = string();
      space();
      if (!take(':')) {
        throw bad("no colon");
      }
      map.put(key, value(depth + 1));
      space();
    }
    return map;
  }

  private List<@Nullable Object> list(int depth) {
    List<@Nullable Object> list = new ArrayList<>();
    at++;
    space();
    while (!take(']')) {
      if (!list.isEmpty() && !take(',')) {
        throw bad("no comma");
      }
      list.add(value(depth + 1));
      space();
    }
    return list;
  }

  private @Nullable Object word() {
    int start = at;
    while (at < text.length() && "+-.0123456789aeflnrstuE".indexOf(text.charAt(at)) >= 0) {
      at++;
    }
    String word = text.substring(start, at);
    return switch (word) {
      case "true" -> true;
      case "false" -> false;
      case "null" -> null;
      default -> {
        try {
          yield new BigDecimal(word);
        } catch (NumberFormatException e) {
          throw bad("no value");
        }
      }
    };
  }

  private String string() {
    if (!take('"')) {
      throw bad("no string");
    }
    StringBuilder out = new StringBuilder();
    while (at < text.length()) {
      char c = text.charAt(at++);
      if (c == '"') {
        return out.toString();
      }
      if (c != '\\') {
        out.append(c);
        continue;
      }
      char escaped = at < text.length() ? text.charAt(at++) : ' ';
      switch (escaped) {
        case 'n' -> out.append('\n');
        case 't' -> out.append('\t');
        case 'r' -> out.append('\r');
        case 'b' -> out.append('\b');
        case 'f' -> out.append('\f');
        case '"', '\\', '/' -> out.append(escaped);
        case 'u' -> {
          if (at + 4 > text.length()) {
            throw bad("short escape");
          }
          out.append((char) Integer.parseInt(text.substring(at, at + 4), 16));
          at += 4;
        }
        default -> throw bad("no such escape");
      }
    }
    throw bad("string without end");
  }

  private boolean take(char c) {
    if (at < text.length() && text.charAt(at) == c) {
      at++;
      return true;
    }
    return false;
  }

  private void space() {
    while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
      at++;
    }
  }

  private IllegalArgumentException bad(String what) {
    return new IllegalArgumentException("the daemon's JSON: " + what + " at " + at);
  }
}
