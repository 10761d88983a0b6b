package io.jrt.network.bridge;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * Names of what one daemon puts on the host; two daemons side by side have none in common. An
 * interface's name has at most 15 characters.
 */
record Names(String instanceId) {

  String bridge() {
    return "jrt-" + instanceId;
  }

  /** The tables of rules. */
  String table() {
    return "jrt-" + instanceId;
  }

  /**
   * The host's end of a pod's interface.
   *
   * @param attempt 0, or higher if the name before was taken
   */
  String veth(String sandboxId, int attempt) {
    return "jv" + hash(instanceId + "/" + sandboxId + "/" + attempt, 13);
  }

  /** What is common to the sets of a group. */
  static String group(String group) {
    return "g" + hash(group, 16);
  }

  private static String hash(String text, int digits) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest).substring(0, digits);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
