package io.jrt.core;

import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The security settings of one container.
 *
 * @param runAsUserName a name looked up in the image's passwd file, or empty
 * @param maskedPaths exactly what is masked; an empty list masks nothing
 * @param readonlyPaths exactly what is made read-only
 */
public record ContainerSecurity(
    CapabilityChanges capabilities,
    boolean privileged,
    NamespaceOptions namespaces,
    Optional<SelinuxOptions> selinux,
    OptionalLong runAsUser,
    OptionalLong runAsGroup,
    String runAsUserName,
    boolean readonlyRootfs,
    List<Long> supplementalGroups,
    SupplementalGroupsPolicy supplementalGroupsPolicy,
    boolean noNewPrivileges,
    List<String> maskedPaths,
    List<String> readonlyPaths,
    Optional<SecurityProfile> seccomp,
    Optional<SecurityProfile> apparmor) {
  public static final ContainerSecurity DEFAULT =
      new ContainerSecurity(
          CapabilityChanges.NONE,
          false,
          NamespaceOptions.DEFAULT,
          Optional.empty(),
          OptionalLong.empty(),
          OptionalLong.empty(),
          "",
          false,
          List.of(),
          SupplementalGroupsPolicy.MERGE,
          false,
          List.of(),
          List.of(),
          Optional.empty(),
          Optional.empty());

  public ContainerSecurity {
    supplementalGroups = List.copyOf(supplementalGroups);
    maskedPaths = List.copyOf(maskedPaths);
    readonlyPaths = List.copyOf(readonlyPaths);
  }

  /** The same without a word about the user. */
  public ContainerSecurity withoutUser() {
    return new ContainerSecurity(
        capabilities,
        privileged,
        namespaces,
        selinux,
        OptionalLong.empty(),
        OptionalLong.empty(),
        "",
        readonlyRootfs,
        supplementalGroups,
        supplementalGroupsPolicy,
        noNewPrivileges,
        maskedPaths,
        readonlyPaths,
        seccomp,
        apparmor);
  }
}
