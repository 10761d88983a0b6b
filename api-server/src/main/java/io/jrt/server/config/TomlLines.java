package io.jrt.server.config;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Finds the line of a key in a TOML text, for messages only: the parser does not keep lines, and a
 * key inside an inline table is found at its table's line.
 */
final class TomlLines {
  private static final Pattern TABLE = Pattern.compile("\\s*\\[+\\s*([^\\]]+?)\\s*\\]+.*");
  private static final Pattern KEY = Pattern.compile("\\s*([A-Za-z0-9_.\"'-]+)\\s*=.*");

  private TomlLines() {}

  /** The line of the key or of its nearest parent, from 1; 0 when there is none. */
  static int find(String text, String key) {
    int best = 0;
    int bestLength = 0;
    String table = "";
    int number = 0;
    for (String line : text.lines().toList()) {
      number++;
      Matcher header = TABLE.matcher(line);
      Matcher assignment = KEY.matcher(line);
      String here;
      if (header.matches()) {
        table = plain(header.group(1));
        here = table;
      } else if (assignment.matches()) {
        String own = plain(assignment.group(1));
        here = table.isEmpty() ? own : table + "." + own;
      } else {
        continue;
      }
      boolean parent = key.equals(here) || key.startsWith(here + ".");
      if (parent && here.length() > bestLength) {
        best = number;
        bestLength = here.length();
      }
    }
    return best;
  }

  private static String plain(String key) {
    return key.replace("\"", "").replace("'", "").replace(" ", "");
  }
}
