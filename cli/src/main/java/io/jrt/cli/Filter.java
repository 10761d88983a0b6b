package io.jrt.cli;

import java.util.Map;

/** One {@code KEY=VALUE} that objects of a list must match. */
record Filter(String key, String value) {
  static Filter parse(String text) {
    int equals = text.indexOf('=');
    if (equals <= 0) {
      throw new UsageException("filter " + text + " is not KEY=VALUE");
    }
    return new Filter(text.substring(0, equals), text.substring(equals + 1));
  }

  /** Whether labels match a key of the form {@code label.NAME}. */
  boolean label(Map<String, String> labels, String otherKeys) {
    if (!key.startsWith("label.")) {
      throw new UsageException("no filter " + key + "; there are " + otherKeys + " and label.NAME");
    }
    return value.equals(labels.get(key.substring("label.".length())));
  }
}
