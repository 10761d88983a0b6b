package io.jrt.core;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;

/**
 * An immutable byte string that need not be UTF-8: an argument, an environment value, a path.
 *
 * <p>Linux passes bytes to {@code execve}; jrt hands them on as they came. In JSON a value is its
 * text where it is valid UTF-8, and {@code base64:...} otherwise (and for text that itself begins
 * with {@code base64:}), so that records stay readable.
 */
public final class Bytes implements Comparable<Bytes> {
  private static final String BASE64 = "base64:";

  private final byte[] value;

  private Bytes(byte[] value) {
    this.value = value;
  }

  public static Bytes of(byte[] value) {
    return new Bytes(value.clone());
  }

  public static Bytes of(String text) {
    return new Bytes(text.getBytes(StandardCharsets.UTF_8));
  }

  /** Each string as UTF-8, in order. */
  public static List<Bytes> listOf(List<String> texts) {
    return texts.stream().map(Bytes::of).toList();
  }

  @JsonCreator
  static Bytes fromJson(String json) {
    return json.startsWith(BASE64)
        ? new Bytes(Base64.getDecoder().decode(json.substring(BASE64.length())))
        : of(json);
  }

  @JsonValue
  String toJson() {
    try {
      String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(value)).toString();
      if (!text.startsWith(BASE64)) {
        return text;
      }
    } catch (CharacterCodingException notText) {
      // falls through: the value is not text, and base64 can say anything
    }
    return BASE64 + Base64.getEncoder().encodeToString(value);
  }

  public byte[] toArray() {
    return value.clone();
  }

  public int length() {
    return value.length;
  }

  public boolean isEmpty() {
    return value.length == 0;
  }

  /** Whether the value holds this byte; NUL and newline are what callers look for. */
  public boolean contains(byte wanted) {
    for (byte b : value) {
      if (b == wanted) {
        return true;
      }
    }
    return false;
  }

  /** The value as text; bytes that are not UTF-8 become U+FFFD, so this is for people only. */
  public String text() {
    return new String(value, StandardCharsets.UTF_8);
  }

  @Override
  public int compareTo(Bytes other) {
    return Arrays.compareUnsigned(value, other.value);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Bytes that && Arrays.equals(value, that.value);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(value);
  }

  @Override
  public String toString() {
    return text();
  }
}
