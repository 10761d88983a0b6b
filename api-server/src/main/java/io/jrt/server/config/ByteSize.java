package io.jrt.server.config;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A number of bytes, written {@code 512}, {@code 64KiB}, {@code 16MiB}, {@code 4GiB} or {@code
 * 1TiB}.
 */
public record ByteSize(long bytes) {
  private static final Pattern FORM = Pattern.compile("(\\d{1,15}) ?(B|KiB|MiB|GiB|TiB)?");
  private static final String[] UNITS = {"B", "KiB", "MiB", "GiB", "TiB"};

  public static ByteSize ofMebibytes(long mebibytes) {
    return new ByteSize(mebibytes << 20);
  }

  @JsonCreator
  static ByteSize parse(String text) {
    Matcher matcher = FORM.matcher(text);
    if (!matcher.matches()) {
      throw new IllegalArgumentException(
          "'" + text + "' is no number of bytes; write it like 512, 64KiB or 16MiB");
    }
    String unit = matcher.group(2);
    int shift = 0;
    for (int i = 0; i < UNITS.length; i++) {
      if (UNITS[i].equals(unit)) {
        shift = 10 * i;
      }
    }
    long bytes = Long.parseLong(matcher.group(1));
    if (bytes > Long.MAX_VALUE >> shift) {
      throw new IllegalArgumentException("'" + text + "' is too large");
    }
    return new ByteSize(bytes << shift);
  }

  @Override
  @JsonValue
  public String toString() {
    int unit = 0;
    long value = bytes;
    while (value != 0 && value % 1024 == 0 && unit < UNITS.length - 1) {
      value /= 1024;
      unit++;
    }
    return unit == 0 ? Long.toString(value) : value + UNITS[unit];
  }
}
