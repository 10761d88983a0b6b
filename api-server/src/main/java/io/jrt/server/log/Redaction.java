package io.jrt.server.log;

import java.util.regex.Pattern;

/**
 * Takes secrets out of log lines: the last net, for what a message should not have held in the
 * first place.
 */
final class Redaction {
  private static final String HIDDEN = "***";

  /** After a slash it is a file's name, as in {@code /etc/passwd: permission denied}. */
  private static final Pattern NAMED =
      Pattern.compile(
          "(?i)(?<!/)((?:password|passwd|secret|identity[-_ ]?token|registry[-_ ]?token|access[-_"
              + " ]?token|refresh[-_ ]?token|api[-_ ]?key)\"?\\s*[:=]\\s*\"?)([^\\s\",;}&]+)");

  private static final Pattern HEADER =
      Pattern.compile("(?i)\\b(bearer|basic)\\s+[A-Za-z0-9+/=._~-]{8,}");
  private static final Pattern USER_INFO = Pattern.compile("(://[^/\\s:@]+):[^/\\s@]+@");

  private Redaction() {}

  static String of(String text) {
    // Almost every line is free of all three, and the patterns are slow compared with this.
    String line = text;
    if (mayName(line)) {
      line = NAMED.matcher(line).replaceAll("$1" + HIDDEN);
      line = HEADER.matcher(line).replaceAll("$1 " + HIDDEN);
    }
    return line.contains("@") ? USER_INFO.matcher(line).replaceAll("$1:" + HIDDEN + "@") : line;
  }

  private static boolean mayName(String line) {
    for (int i = 0; i < line.length(); i++) {
      switch (line.charAt(i)) {
        case '=', ':' -> {
          return true;
        }
        case 'b', 'B' -> {
          if (line.regionMatches(true, i, "bearer", 0, 6)
              || line.regionMatches(true, i, "basic", 0, 5)) {
            return true;
          }
        }
        default -> {}
      }
    }
    return false;
  }
}
