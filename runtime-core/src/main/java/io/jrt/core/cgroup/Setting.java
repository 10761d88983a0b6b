package io.jrt.core.cgroup;

import java.util.function.UnaryOperator;

/**
 * One value to be written to one file of a cgroup.
 *
 * @param optional whether a missing file is fine, because the value is what holds without it
 * @param undo makes from what the file said before what must be written to bring that back
 */
record Setting(
    CgroupDir dir, String file, String value, boolean optional, UnaryOperator<String> undo) {

  static Setting of(CgroupDir dir, String file, String value) {
    return new Setting(dir, file, value, false, UnaryOperator.identity());
  }

  static Setting of(CgroupDir dir, String file, long value) {
    return of(dir, file, Long.toString(value));
  }

  /** A value whose file may be missing. */
  Setting ifPresent() {
    return new Setting(dir, file, value, true, undo);
  }

  /**
   * A value of one key in a file of lines {@code key rest}.
   *
   * @param absent what to write when the file had no line of that key
   */
  static Setting keyed(CgroupDir dir, String file, String key, String rest, String absent) {
    return new Setting(
        dir,
        file,
        key + " " + rest,
        false,
        old ->
            old.lines()
                .filter(line -> line.startsWith(key + " "))
                .findFirst()
                .orElse(key + " " + absent));
  }

  @Override
  public String toString() {
    return value + " to " + file;
  }
}
