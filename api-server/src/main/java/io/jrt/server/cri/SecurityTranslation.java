package io.jrt.server.cri;

import io.jrt.core.CapabilityChanges;
import io.jrt.core.ContainerSecurity;
import io.jrt.core.NamespaceOptions;
import io.jrt.core.PodSecurity;
import io.jrt.core.SecurityProfile;
import io.jrt.core.SelinuxOptions;
import io.jrt.core.SupplementalGroupsPolicy;
import io.jrt.core.UserNamespaceConfig;
import io.jrt.cri.v1.IDMapping;
import io.jrt.cri.v1.Int64Value;
import io.jrt.cri.v1.LinuxContainerSecurityContext;
import io.jrt.cri.v1.LinuxSandboxSecurityContext;
import io.jrt.cri.v1.NamespaceMode;
import io.jrt.cri.v1.NamespaceOption;
import io.jrt.cri.v1.SELinuxOption;
import io.jrt.cri.v1.UserNamespace;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** CRI's security contexts as the runtime's records, and namespaces back. */
final class SecurityTranslation {
  private SecurityTranslation() {}

  static PodSecurity ofPod(LinuxSandboxSecurityContext cri) {
    OptionalLong user = optional(cri.hasRunAsUser(), cri.getRunAsUser());
    OptionalLong group = optional(cri.hasRunAsGroup(), cri.getRunAsGroup());
    if (group.isPresent() && user.isEmpty()) {
      throw Requests.invalid("run_as_group needs run_as_user");
    }
    return new PodSecurity(
        namespaces(cri.hasNamespaceOptions(), cri.getNamespaceOptions()),
        cri.hasSelinuxOptions() ? Optional.of(selinux(cri.getSelinuxOptions())) : Optional.empty(),
        user,
        group,
        cri.getReadonlyRootfs(),
        cri.getSupplementalGroupsList(),
        policy(cri.getSupplementalGroupsPolicy()),
        cri.getPrivileged(),
        seccomp(cri.hasSeccomp(), cri.getSeccomp(), oldSeccomp(cri)),
        cri.hasApparmor() ? Optional.of(profile(cri.getApparmor())) : Optional.empty());
  }

  static ContainerSecurity ofContainer(LinuxContainerSecurityContext cri) {
    OptionalLong user = optional(cri.hasRunAsUser(), cri.getRunAsUser());
    OptionalLong group = optional(cri.hasRunAsGroup(), cri.getRunAsGroup());
    if (user.isPresent() && !cri.getRunAsUsername().isEmpty()) {
      throw Requests.invalid("run_as_user and run_as_username exclude each other");
    }
    if (group.isPresent() && user.isEmpty() && cri.getRunAsUsername().isEmpty()) {
      throw Requests.invalid("run_as_group needs run_as_user or run_as_username");
    }
    return new ContainerSecurity(
        new CapabilityChanges(
            cri.getCapabilities().getAddCapabilitiesList(),
            cri.getCapabilities().getDropCapabilitiesList(),
            cri.getCapabilities().getAddAmbientCapabilitiesList()),
        cri.getPrivileged(),
        namespaces(cri.hasNamespaceOptions(), cri.getNamespaceOptions()),
        cri.hasSelinuxOptions() ? Optional.of(selinux(cri.getSelinuxOptions())) : Optional.empty(),
        user,
        group,
        cri.getRunAsUsername(),
        cri.getReadonlyRootfs(),
        cri.getSupplementalGroupsList(),
        policy(cri.getSupplementalGroupsPolicy()),
        cri.getNoNewPrivs(),
        cri.getMaskedPathsList(),
        cri.getReadonlyPathsList(),
        seccomp(cri.hasSeccomp(), cri.getSeccomp(), oldSeccomp(cri)),
        apparmor(cri));
  }

  /** An absent message means the zero values: everything of the pod, no user namespace. */
  private static NamespaceOptions namespaces(boolean given, NamespaceOption cri) {
    return given
        ? new NamespaceOptions(
            mode(cri.getNetwork()),
            mode(cri.getPid()),
            mode(cri.getIpc()),
            cri.getTargetId(),
            cri.hasUsernsOptions() ? Optional.of(user(cri.getUsernsOptions())) : Optional.empty())
        : NamespaceOptions.DEFAULT;
  }

  private static UserNamespaceConfig user(UserNamespace cri) {
    if (cri.getMode() != NamespaceMode.POD && cri.getMode() != NamespaceMode.NODE) {
      throw Requests.invalid(
          "userns_options.mode %s: a user namespace is the pod's or the node's"
              .formatted(cri.getMode()));
    }
    return new UserNamespaceConfig(
        mode(cri.getMode()), mappings(cri.getUidsList()), mappings(cri.getGidsList()));
  }

  static List<io.jrt.core.IdMapping> mappings(List<IDMapping> cri) {
    return cri.stream()
        .map(
            one ->
                new io.jrt.core.IdMapping(
                    Integer.toUnsignedLong(one.getHostId()),
                    Integer.toUnsignedLong(one.getContainerId()),
                    Integer.toUnsignedLong(one.getLength())))
        .toList();
  }

  static List<IDMapping> mappingsToCri(List<io.jrt.core.IdMapping> mappings) {
    return mappings.stream()
        .map(
            one ->
                IDMapping.newBuilder()
                    .setHostId((int) one.hostId())
                    .setContainerId((int) one.containerId())
                    .setLength((int) one.length())
                    .build())
        .toList();
  }

  static NamespaceOption toCri(NamespaceOptions options) {
    NamespaceOption.Builder cri =
        NamespaceOption.newBuilder()
            .setNetwork(mode(options.network()))
            .setPid(mode(options.pid()))
            .setIpc(mode(options.ipc()))
            .setTargetId(options.targetId());
    options
        .user()
        .ifPresent(
            user ->
                cri.setUsernsOptions(
                    UserNamespace.newBuilder()
                        .setMode(mode(user.mode()))
                        .addAllUids(mappingsToCri(user.uids()))
                        .addAllGids(mappingsToCri(user.gids()))));
    return cri.build();
  }

  private static io.jrt.core.NamespaceMode mode(NamespaceMode cri) {
    return switch (cri) {
      case POD -> io.jrt.core.NamespaceMode.POD;
      case CONTAINER -> io.jrt.core.NamespaceMode.CONTAINER;
      case NODE -> io.jrt.core.NamespaceMode.NODE;
      case TARGET -> io.jrt.core.NamespaceMode.TARGET;
      case UNRECOGNIZED -> throw Requests.invalid("a namespace mode that jrt does not know");
    };
  }

  private static NamespaceMode mode(io.jrt.core.NamespaceMode mode) {
    return switch (mode) {
      case POD -> NamespaceMode.POD;
      case CONTAINER -> NamespaceMode.CONTAINER;
      case NODE -> NamespaceMode.NODE;
      case TARGET -> NamespaceMode.TARGET;
    };
  }

  private static SupplementalGroupsPolicy policy(io.jrt.cri.v1.SupplementalGroupsPolicy cri) {
    return switch (cri) {
      case Merge -> SupplementalGroupsPolicy.MERGE;
      case Strict -> SupplementalGroupsPolicy.STRICT;
      case UNRECOGNIZED ->
          throw Requests.invalid("a supplemental groups policy that jrt does not know");
    };
  }

  private static SelinuxOptions selinux(SELinuxOption cri) {
    return new SelinuxOptions(cri.getUser(), cri.getRole(), cri.getType(), cri.getLevel());
  }

  private static SecurityProfile profile(io.jrt.cri.v1.SecurityProfile cri) {
    return switch (cri.getProfileType()) {
      case RuntimeDefault -> SecurityProfile.RUNTIME_DEFAULT;
      case Unconfined -> SecurityProfile.UNCONFINED;
      case Localhost -> {
        if (cri.getLocalhostRef().isEmpty()) {
          throw Requests.invalid("a Localhost profile without localhost_ref");
        }
        yield new SecurityProfile(SecurityProfile.Type.LOCALHOST, cri.getLocalhostRef());
      }
      case UNRECOGNIZED -> throw Requests.invalid("a profile type that jrt does not know");
    };
  }

  private static Optional<SecurityProfile> seccomp(
      boolean given, io.jrt.cri.v1.SecurityProfile cri, String path) {
    return given ? Optional.of(profile(cri)) : named(path);
  }

  private static Optional<SecurityProfile> apparmor(LinuxContainerSecurityContext cri) {
    return cri.hasApparmor() ? Optional.of(profile(cri.getApparmor())) : named(oldApparmor(cri));
  }

  /** The way in which profiles were named before they had a message of their own. */
  private static Optional<SecurityProfile> named(String text) {
    String localhost = "localhost/";
    return switch (text) {
      case "" -> Optional.empty();
      case "runtime/default", "docker/default" -> Optional.of(SecurityProfile.RUNTIME_DEFAULT);
      case "unconfined" -> Optional.of(SecurityProfile.UNCONFINED);
      case String name when name.startsWith(localhost) ->
          Optional.of(
              new SecurityProfile(
                  SecurityProfile.Type.LOCALHOST, name.substring(localhost.length())));
      default -> throw Requests.invalid("profile '" + text + "' is not known");
    };
  }

  @SuppressWarnings("deprecation") // old kubelets send it
  private static String oldSeccomp(LinuxSandboxSecurityContext cri) {
    return cri.getSeccompProfilePath();
  }

  @SuppressWarnings("deprecation") // old kubelets send it
  private static String oldSeccomp(LinuxContainerSecurityContext cri) {
    return cri.getSeccompProfilePath();
  }

  @SuppressWarnings("deprecation") // old kubelets send it
  private static String oldApparmor(LinuxContainerSecurityContext cri) {
    return cri.getApparmorProfile();
  }

  private static OptionalLong optional(boolean given, Int64Value value) {
    return given ? OptionalLong.of(value.getValue()) : OptionalLong.empty();
  }
}
