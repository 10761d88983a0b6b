package io.jrt.security;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;

/**
 * Checks of what an image or a pod says about users, before it reaches a passwd line, an
 * environment variable or a setuid call.
 */
public final class Accounts {
  /**
   * The largest id; 4294967295 means "no change" to the kernel and 2^31 on is refused by policy.
   */
  public static final long MAX_ID = Integer.MAX_VALUE;

  private static final String STEP = "check user";
  private static final int MAX_NAME = 256;
  private static final int MAX_HOME = 4096;

  private Accounts() {}

  /**
   * A numeric id within 0–2147483647, as a number that overflowed has become root before
   * (CVE-2024-40635).
   */
  public static long checkId(String what, long id) {
    if (id < 0 || id > MAX_ID) {
      throw invalid("%s %d is outside 0-%d".formatted(what, id, MAX_ID));
    }
    return id;
  }

  /**
   * The id that decimal digits say.
   *
   * @throws JrtException INVALID when it is not one, or too large
   */
  public static long parseId(String what, String digits) {
    if (!isNumeric(digits)) {
      throw invalid("%s \"%s\" is not a number".formatted(what, show(digits)));
    }
    int start = 0;
    while (start < digits.length() - 1 && digits.charAt(start) == '0') {
      start++;
    }
    String significant = digits.substring(start);
    if (significant.length() > 10) {
      throw invalid("%s \"%s\" is outside 0-%d".formatted(what, show(digits), MAX_ID));
    }
    return checkId(what, Long.parseLong(significant));
  }

  /** Whether this is a number (and so never looked up as a name). */
  public static boolean isNumeric(String text) {
    return !text.isEmpty() && text.chars().allMatch(c -> c >= '0' && c <= '9');
  }

  /** A user or group name that can stand in a passwd or group line and in an environment. */
  public static String checkName(String what, String name) {
    if (name.isEmpty() || name.length() > MAX_NAME) {
      throw invalid("%s name has %d characters".formatted(what, name.length()));
    }
    checkLine(what + " name", name);
    return name;
  }

  /**
   * A home directory that can stand in a passwd line: absolute, without colon, newline or any other
   * control character, written out or escaped (CVE-2022-4318, CVE-2026-15809).
   */
  public static String checkHome(String home) {
    if (!home.startsWith("/") || home.length() > MAX_HOME) {
      throw invalid("home directory \"%s\" is not an absolute path".formatted(show(home)));
    }
    checkLine("home directory", home);
    return home;
  }

  private static void checkLine(String what, String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      // A backslash is refused for what a shell or printf made of it once: an escaped newline.
      if (Character.isISOControl(c)
          || c == ':'
          || c == '\\'
          || c == '\u2028'
          || c == '\u2029'
          || c == '\u0085') {
        throw invalid(
            "%s \"%s\" has the character U+%04X, which is not allowed"
                .formatted(what, show(text), (int) c));
      }
    }
  }

  private static String show(String text) {
    StringBuilder shown = new StringBuilder();
    for (int i = 0; i < Math.min(text.length(), 80); i++) {
      char c = text.charAt(i);
      shown.append(Character.isISOControl(c) ? '?' : c);
    }
    return shown.toString();
  }

  private static JrtException invalid(String message) {
    return new JrtException(ErrorKind.INVALID, STEP, message);
  }
}
