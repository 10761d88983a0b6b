package io.jrt.security;

/** Which seccomp or AppArmor profile a container asks for, as Kubernetes words it. */
public sealed interface SecurityProfile {

  /** The runtime's own profile. */
  record RuntimeDefault() implements SecurityProfile {}

  /** No profile. */
  record Unconfined() implements SecurityProfile {}

  /**
   * A profile of this node.
   *
   * @param reference seccomp: the absolute path of a JSON file; AppArmor: the name of a loaded
   *     profile; in either case the deprecated prefix {@code localhost/} is understood
   */
  record Localhost(String reference) implements SecurityProfile {

    private static final String LEGACY_PREFIX = "localhost/";

    public Localhost {
      if (reference.startsWith(LEGACY_PREFIX)) {
        reference = reference.substring(LEGACY_PREFIX.length());
      }
    }
  }
}
