package io.jrt.core;

import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** The security settings of a pod as a whole. */
public record PodSecurity(
    NamespaceOptions namespaces,
    Optional<SelinuxOptions> selinux,
    OptionalLong runAsUser,
    OptionalLong runAsGroup,
    boolean readonlyRootfs,
    List<Long> supplementalGroups,
    SupplementalGroupsPolicy supplementalGroupsPolicy,
    boolean privileged,
    Optional<SecurityProfile> seccomp,
    Optional<SecurityProfile> apparmor) {
  public static final PodSecurity DEFAULT =
      new PodSecurity(
          NamespaceOptions.DEFAULT,
          Optional.empty(),
          OptionalLong.empty(),
          OptionalLong.empty(),
          false,
          List.of(),
          SupplementalGroupsPolicy.MERGE,
          false,
          Optional.empty(),
          Optional.empty());

  public PodSecurity {
    supplementalGroups = List.copyOf(supplementalGroups);
  }
}
