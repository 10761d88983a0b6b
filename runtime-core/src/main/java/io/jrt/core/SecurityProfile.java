package io.jrt.core;

/**
 * A seccomp or AppArmor profile by kind.
 *
 * @param localhostRef the file (seccomp) or loaded profile (AppArmor) with {@code LOCALHOST}; else
 *     empty
 */
public record SecurityProfile(Type type, String localhostRef) {
  public static final SecurityProfile RUNTIME_DEFAULT =
      new SecurityProfile(Type.RUNTIME_DEFAULT, "");
  public static final SecurityProfile UNCONFINED = new SecurityProfile(Type.UNCONFINED, "");

  /** Where the profile comes from. */
  public enum Type {
    RUNTIME_DEFAULT,
    UNCONFINED,
    LOCALHOST
  }
}
