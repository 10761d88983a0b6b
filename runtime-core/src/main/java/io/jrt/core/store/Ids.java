package io.jrt.core.store;

import java.security.SecureRandom;
import java.util.HexFormat;

/** Names of pods and containers: 256 random bits as 64 hexadecimal digits. */
public final class Ids {
  private final SecureRandom random = new SecureRandom();

  public String next() {
    byte[] bits = new byte[32];
    random.nextBytes(bits);
    return HexFormat.of().formatHex(bits);
  }

  /** Whether this is a full id. */
  public static boolean isId(String text) {
    return text.length() == 64
        && text.chars().allMatch(c -> (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'));
  }
}
