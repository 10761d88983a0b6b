package io.jrt.image.layer;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.nio.charset.StandardCharsets;

/**
 * The path of an entry inside its layer: relative, without empty, {@code .} and {@code ..}
 * components; the root itself is the empty path. One character stands for one byte.
 */
final class LayerPath {
  static final String WHITEOUT = ".wh.";
  static final String OPAQUE = ".wh..wh..opq";

  private LayerPath() {}

  /**
   * Cleans a name from a tar. Absolute names are taken as relative to the layer's root.
   *
   * @throws JrtException INVALID for names that climb or cannot be
   */
  static String clean(String name) {
    if (name.indexOf('\0') >= 0) {
      throw invalid(name, "holds a NUL");
    }
    var clean = new StringBuilder(name.length());
    int at = 0;
    while (at < name.length()) {
      int slash = name.indexOf('/', at);
      int end = slash < 0 ? name.length() : slash;
      int length = end - at;
      boolean dot = length == 1 && name.charAt(at) == '.';
      if (length == 2 && name.charAt(at) == '.' && name.charAt(at + 1) == '.') {
        throw invalid(name, "climbs with '..'");
      }
      if (length > 255) {
        throw invalid(name, "has a component longer than 255 bytes");
      }
      if (length > 0 && !dot) {
        if (!clean.isEmpty()) {
          clean.append('/');
        }
        clean.append(name, at, end);
      }
      at = end + 1;
    }
    if (clean.length() >= 4096) {
      throw invalid(name, "is longer than 4095 bytes");
    }
    return clean.toString();
  }

  /** All but the last component; empty for a path of one. */
  static String parent(String path) {
    int slash = path.lastIndexOf('/');
    return slash < 0 ? "" : path.substring(0, slash);
  }

  /** The last component. */
  static String last(String path) {
    return path.substring(path.lastIndexOf('/') + 1);
  }

  static String child(String parent, String name) {
    return parent.isEmpty() ? name : parent + "/" + name;
  }

  /** The bytes of a path or name. */
  static byte[] bytes(String path) {
    return path.getBytes(StandardCharsets.ISO_8859_1);
  }

  /** For messages. */
  static String shown(String path) {
    String text = new String(bytes(path), StandardCharsets.UTF_8).replaceAll("\\p{Cntrl}", "?");
    return text.length() > 200 ? text.substring(0, 200) + "…" : text;
  }

  private static JrtException invalid(String name, String why) {
    return new JrtException(
        ErrorKind.INVALID, "unpack layer", "the name '" + shown(name) + "' in a layer " + why);
  }
}
