package io.jrt.cli;

import java.util.List;

/**
 * What a command is: the source of its parser, its help, its completion and its manual page.
 *
 * @param name the words that call it, such as {@code image import}
 * @param arguments its arguments as the help shows them, such as {@code IMAGE [COMMAND…]}
 * @param summary one line, no full stop
 * @param optionsFirst whether options end at the first argument, so that those of a command to be
 *     run inside a container are left alone
 * @param flags its options
 * @param examples command lines that work
 */
record Spec(
    String name,
    String arguments,
    String summary,
    boolean optionsFirst,
    List<Flag> flags,
    List<String> examples) {

  static Spec of(String name, String arguments, String summary, List<Flag> flags, String example) {
    return new Spec(name, arguments, summary, false, flags, List.of(example));
  }
}
