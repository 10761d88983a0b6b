package io.jrt.core.launch;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/**
 * Bytes as the kernel takes them for arguments, environment and paths: any byte but NUL, in no
 * particular character set. Immutable.
 */
public final class CString {
  private final byte[] bytes;

  private CString(byte[] bytes) {
    this.bytes = bytes;
  }

  /**
   * A copy of those bytes.
   *
   * @throws IllegalArgumentException when there is a NUL among them
   */
  public static CString of(byte[] bytes) {
    for (int i = 0; i < bytes.length; i++) {
      if (bytes[i] == 0) {
        throw new IllegalArgumentException("byte " + i + " is NUL in \"" + printable(bytes) + '"');
      }
    }
    return new CString(bytes.clone());
  }

  /** The text in UTF-8. */
  public static CString of(String text) {
    return of(text.getBytes(StandardCharsets.UTF_8));
  }

  /** Each text in UTF-8. */
  public static List<CString> listOf(String... texts) {
    return Arrays.stream(texts).map(CString::of).toList();
  }

  /** A copy of the bytes, without a terminating NUL. */
  public byte[] bytes() {
    return bytes.clone();
  }

  public int length() {
    return bytes.length;
  }

  public boolean isEmpty() {
    return bytes.length == 0;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof CString that && Arrays.equals(bytes, that.bytes);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bytes);
  }

  /** Readable: malformed UTF-8 shows as replacement characters. */
  @Override
  public String toString() {
    return printable(bytes);
  }

  private static String printable(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
