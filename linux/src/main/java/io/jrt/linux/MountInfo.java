package io.jrt.linux;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/** Reads the format of /proc/PID/mountinfo, described in proc_pid_mountinfo(5). */
final class MountInfo {
  private MountInfo() {}

  static List<MountEntry> parse(String text) {
    List<MountEntry> entries = new ArrayList<>();
    text.lines().filter(line -> !line.isEmpty()).map(MountInfo::line).forEach(entries::add);
    return entries;
  }

  private static MountEntry line(String line) {
    List<String> fields = List.of(line.split(" ", -1));
    int colon = fields.get(2).indexOf(':');
    OptionalInt peer = OptionalInt.empty();
    OptionalInt master = OptionalInt.empty();
    boolean unbindable = false;
    int at = 6;
    while (!fields.get(at).equals("-")) {
      String tag = fields.get(at++);
      if (tag.startsWith("shared:")) {
        peer = OptionalInt.of(Integer.parseInt(tag.substring(7)));
      } else if (tag.startsWith("master:")) {
        master = OptionalInt.of(Integer.parseInt(tag.substring(7)));
      } else if (tag.equals("unbindable")) {
        unbindable = true;
      }
    }
    return new MountEntry(
        Integer.parseInt(fields.get(0)),
        Integer.parseInt(fields.get(1)),
        Integer.parseInt(fields.get(2).substring(0, colon)),
        Integer.parseInt(fields.get(2).substring(colon + 1)),
        unescape(fields.get(3)),
        unescape(fields.get(4)),
        List.of(fields.get(5).split(",", -1)),
        peer,
        master,
        unbindable,
        unescape(fields.get(at + 1)),
        unescape(fields.get(at + 2)),
        List.of(fields.get(at + 3).split(",", -1)));
  }

  /** Space, tab, newline and backslash are written as a backslash and three octal digits. */
  private static String unescape(String text) {
    if (text.indexOf('\\') < 0) {
      return text;
    }
    StringBuilder plain = new StringBuilder(text.length());
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '\\' && i + 3 < text.length()) {
        plain.append((char) Integer.parseInt(text, i + 1, i + 4, 8));
        i += 3;
      } else {
        plain.append(c);
      }
    }
    return plain.toString();
  }
}
