package io.jrt.network;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;

/**
 * An IPv4 or IPv6 address. Parsing takes literals only and never asks a resolver; the text form is
 * canonical (RFC 5952), so equal addresses have equal texts.
 */
public final class IpAddress implements Comparable<IpAddress> {
  private final byte[] bytes;

  private IpAddress(byte[] bytes) {
    this.bytes = bytes;
  }

  /** The address with these 4 or 16 bytes in network order. */
  public static IpAddress of(byte[] bytes) {
    if (bytes.length != 4 && bytes.length != 16) {
      throw new IllegalArgumentException("an address has 4 or 16 bytes, not " + bytes.length);
    }
    return new IpAddress(bytes.clone());
  }

  /** Reads an address literal; anything else is {@link ErrorKind#INVALID}. */
  public static IpAddress parse(String text) {
    // Only these characters: InetAddress then has nothing it could take for a host name.
    boolean v6 = text.indexOf(':') >= 0;
    if (text.isEmpty()
        || !text.chars().allMatch(c -> isHex(c) || c == '.' || (v6 && c == ':'))
        || (!v6 && !text.matches("(0|[1-9][0-9]{0,2})(\\.(0|[1-9][0-9]{0,2})){3}"))) {
      throw notAnAddress(text);
    }
    try {
      return new IpAddress(InetAddress.ofLiteral(text).getAddress());
    } catch (IllegalArgumentException e) {
      throw notAnAddress(text);
    }
  }

  private static boolean isHex(int c) {
    return Character.digit(c, 16) >= 0 && c < 128;
  }

  private static JrtException notAnAddress(String text) {
    return new JrtException(
        ErrorKind.INVALID, "read network address", "\"" + text + "\" is not an IP address");
  }

  /** The 4 or 16 bytes in network order. */
  public byte[] bytes() {
    return bytes.clone();
  }

  public boolean isV6() {
    return bytes.length == 16;
  }

  /** Number of bits: 32 or 128. */
  public int bits() {
    return bytes.length * 8;
  }

  /** Whether this is 0.0.0.0 or ::. */
  public boolean isAny() {
    for (byte b : bytes) {
      if (b != 0) {
        return false;
      }
    }
    return true;
  }

  /** The address as the JDK's type. */
  public InetAddress toInetAddress() {
    try {
      return InetAddress.getByAddress(bytes);
    } catch (UnknownHostException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public int compareTo(IpAddress o) {
    return bytes.length != o.bytes.length
        ? Integer.compare(bytes.length, o.bytes.length)
        : Arrays.compareUnsigned(bytes, o.bytes);
  }

  @Override
  public boolean equals(Object o) {
    return o instanceof IpAddress other && Arrays.equals(bytes, other.bytes);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bytes);
  }

  @Override
  public String toString() {
    if (!isV6()) {
      return (bytes[0] & 255)
          + "."
          + (bytes[1] & 255)
          + "."
          + (bytes[2] & 255)
          + "."
          + (bytes[3] & 255);
    }
    int[] groups = new int[8];
    for (int i = 0; i < 8; i++) {
      groups[i] = (bytes[2 * i] & 255) << 8 | (bytes[2 * i + 1] & 255);
    }
    int bestStart = -1;
    int bestLength = 1; // a single zero group is not shortened
    for (int i = 0; i < 8; i++) {
      int j = i;
      while (j < 8 && groups[j] == 0) {
        j++;
      }
      if (j - i > bestLength) {
        bestStart = i;
        bestLength = j - i;
      }
      i = Math.max(i, j - 1);
    }
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < 8; ) {
      if (i == bestStart) {
        text.append("::");
        i += bestLength;
      } else {
        if (!text.isEmpty() && text.charAt(text.length() - 1) != ':') {
          text.append(':');
        }
        text.append(Integer.toHexString(groups[i]));
        i++;
      }
    }
    return text.toString();
  }
}
