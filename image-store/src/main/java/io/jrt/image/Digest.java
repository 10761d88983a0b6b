package io.jrt.image;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Sha256;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * A digest that can be verified: {@code sha256:} or {@code sha512:} and lower-case hex.
 *
 * @param algorithm {@code sha256} or {@code sha512}
 * @param hex 64 or 128 lower-case hex digits
 */
public record Digest(String algorithm, String hex) {

  public Digest {
    int length =
        switch (algorithm) {
          case "sha256" -> 64;
          case "sha512" -> 128;
          default ->
              throw new JrtException(
                  ErrorKind.INVALID,
                  "parse digest",
                  "digest algorithm '" + shown(algorithm) + "' cannot be verified");
        };
    if (hex.length() != length || !lowerHex(hex)) {
      throw new JrtException(
          ErrorKind.INVALID,
          "parse digest",
          "digest '"
              + algorithm
              + ":"
              + shown(hex)
              + "' is not "
              + length
              + " lower-case hex digits");
    }
  }

  /**
   * Reads {@code algorithm:hex}.
   *
   * @throws JrtException INVALID
   */
  public static Digest parse(String text) {
    int colon = text.indexOf(':');
    if (colon < 0) {
      throw new JrtException(
          ErrorKind.INVALID, "parse digest", "digest '" + shown(text) + "' has no algorithm");
    }
    return new Digest(text.substring(0, colon), text.substring(colon + 1));
  }

  /** The SHA-256 of bytes. */
  public static Digest sha256(byte[] bytes) {
    return ofSha256(newHash("sha256").digest(bytes));
  }

  /** The digest that a finished SHA-256 hash stands for. */
  public static Digest ofSha256(byte[] hash) {
    return new Digest("sha256", HexFormat.of().formatHex(hash));
  }

  /** The digest of bytes by the algorithm of this one. */
  public Digest of(byte[] bytes) {
    return new Digest(algorithm, HexFormat.of().formatHex(newHash().digest(bytes)));
  }

  /** A fresh hash of this digest's algorithm. */
  public MessageDigest newHash() {
    return newHash(algorithm);
  }

  /** Whether a finished hash is this digest. */
  public boolean matches(byte[] hash) {
    return HexFormat.of().formatHex(hash).equals(hex);
  }

  /** A fresh hash by the name that digests use for it. */
  public static MessageDigest newHash(String algorithm) {
    if (!algorithm.equals("sha512")) {
      return Sha256.fastest();
    }
    try {
      return MessageDigest.getInstance("SHA-512");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-512", e);
    }
  }

  private static boolean lowerHex(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if ((c < '0' || c > '9') && (c < 'a' || c > 'f')) {
        return false;
      }
    }
    return true;
  }

  private static String shown(String text) {
    String cut = text.length() > 140 ? text.substring(0, 140) + "…" : text;
    return cut.replaceAll("\\p{Cntrl}", "?");
  }

  @Override
  public String toString() {
    return algorithm + ":" + hex;
  }
}
