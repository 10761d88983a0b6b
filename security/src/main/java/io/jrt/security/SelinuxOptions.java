package io.jrt.security;

/**
 * The parts of an SELinux label that a pod asks for; an empty part takes the runtime's default.
 *
 * @param level sensitivity and categories, {@code s0:c12,c345}
 */
public record SelinuxOptions(String user, String role, String type, String level) {

  /** Nothing asked for. */
  public static final SelinuxOptions NONE = new SelinuxOptions("", "", "", "");

  public boolean isEmpty() {
    return user.isEmpty() && role.isEmpty() && type.isEmpty() && level.isEmpty();
  }
}
