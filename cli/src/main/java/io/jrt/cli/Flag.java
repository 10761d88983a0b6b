package io.jrt.cli;

/**
 * One option of a command.
 *
 * @param name the long name without dashes
 * @param letter the short name, or a space for none
 * @param value what to call its value in the help, empty for a switch
 * @param help one line, no full stop
 */
record Flag(String name, char letter, String value, String help) {

  static Flag option(String name, String value, String help) {
    return new Flag(name, ' ', value, help);
  }

  static Flag option(char letter, String name, String value, String help) {
    return new Flag(name, letter, value, help);
  }

  static Flag toggle(String name, String help) {
    return new Flag(name, ' ', "", help);
  }

  static Flag toggle(char letter, String name, String help) {
    return new Flag(name, letter, "", help);
  }

  boolean takesValue() {
    return !value.isEmpty();
  }
}
