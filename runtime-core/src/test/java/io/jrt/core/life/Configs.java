package io.jrt.core.life;

import io.jrt.core.CapabilityChanges;
import io.jrt.core.ContainerConfig;
import io.jrt.core.ContainerSecurity;
import io.jrt.core.DeviceConfig;
import io.jrt.core.EnvVar;
import io.jrt.core.LinuxResources;
import io.jrt.core.MountConfig;
import io.jrt.core.NamespaceMode;
import io.jrt.core.NamespaceOptions;
import io.jrt.core.PodConfig;
import io.jrt.core.PodSecurity;
import io.jrt.core.SecurityProfile;
import io.jrt.core.UserNamespaceConfig;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/** Requests with one thing changed. */
final class Configs {
  private Configs() {}

  static ContainerSecurity readonly(ContainerSecurity security) {
    return new ContainerSecurity(
        security.capabilities(),
        security.privileged(),
        security.namespaces(),
        security.selinux(),
        OptionalLong.of(1000),
        security.runAsGroup(),
        security.runAsUserName(),
        true,
        List.of(4242L),
        security.supplementalGroupsPolicy(),
        true,
        security.maskedPaths(),
        security.readonlyPaths(),
        Optional.of(SecurityProfile.RUNTIME_DEFAULT),
        security.apparmor());
  }

  static ContainerSecurity withCapabilities(ContainerSecurity security, String... added) {
    return changed(
        security,
        new CapabilityChanges(List.of(added), List.of(), List.of()),
        security.namespaces(),
        security.runAsUser(),
        security.runAsGroup());
  }

  static ContainerSecurity withUser(ContainerSecurity security, long uid, long gid) {
    return changed(
        security,
        security.capabilities(),
        security.namespaces(),
        OptionalLong.of(uid),
        OptionalLong.of(gid));
  }

  static ContainerSecurity withPid(ContainerSecurity security, NamespaceMode pid) {
    NamespaceOptions options = security.namespaces();
    return changed(
        security,
        security.capabilities(),
        new NamespaceOptions(
            options.network(), pid, options.ipc(), options.targetId(), options.user()),
        security.runAsUser(),
        security.runAsGroup());
  }

  private static ContainerSecurity changed(
      ContainerSecurity security,
      CapabilityChanges capabilities,
      NamespaceOptions namespaces,
      OptionalLong user,
      OptionalLong group) {
    return new ContainerSecurity(
        capabilities,
        security.privileged(),
        namespaces,
        security.selinux(),
        user,
        group,
        security.runAsUserName(),
        security.readonlyRootfs(),
        security.supplementalGroups(),
        security.supplementalGroupsPolicy(),
        security.noNewPrivileges(),
        security.maskedPaths(),
        security.readonlyPaths(),
        security.seccomp(),
        security.apparmor());
  }

  static ContainerConfig withDevices(
      ContainerConfig config,
      List<DeviceConfig> devices,
      List<String> cdiDevices,
      Map<String, String> annotations) {
    return changed(
        config,
        config.environment(),
        config.mounts(),
        devices,
        cdiDevices,
        annotations,
        config.resources(),
        config.security());
  }

  static ContainerConfig withEnvironment(ContainerConfig config, List<EnvVar> environment) {
    return changed(
        config,
        environment,
        config.mounts(),
        config.devices(),
        config.cdiDevices(),
        config.annotations(),
        config.resources(),
        config.security());
  }

  static ContainerConfig with(
      ContainerConfig config, ContainerSecurity security, Optional<LinuxResources> resources) {
    return with(config, security, resources, config.mounts());
  }

  static ContainerConfig with(
      ContainerConfig config,
      ContainerSecurity security,
      Optional<LinuxResources> resources,
      List<MountConfig> mounts) {
    return changed(
        config,
        config.environment(),
        mounts,
        config.devices(),
        config.cdiDevices(),
        config.annotations(),
        resources,
        security);
  }

  private static ContainerConfig changed(
      ContainerConfig config,
      List<EnvVar> environment,
      List<MountConfig> mounts,
      List<DeviceConfig> devices,
      List<String> cdiDevices,
      Map<String, String> annotations,
      Optional<LinuxResources> resources,
      ContainerSecurity security) {
    return new ContainerConfig(
        config.metadata(),
        config.image(),
        config.command(),
        config.args(),
        config.workingDirectory(),
        environment,
        mounts,
        devices,
        cdiDevices,
        config.labels(),
        annotations,
        config.logPath(),
        config.stdin(),
        config.stdinOnce(),
        config.tty(),
        resources,
        security,
        config.stopSignal());
  }

  static PodConfig withUserNamespace(PodConfig pod, UserNamespaceConfig user) {
    PodSecurity security = pod.security();
    NamespaceOptions options = security.namespaces();
    return new PodConfig(
        pod.metadata(),
        pod.hostname(),
        pod.logDirectory(),
        pod.dns(),
        pod.portMappings(),
        pod.labels(),
        pod.annotations(),
        pod.cgroupParent(),
        new PodSecurity(
            new NamespaceOptions(
                options.network(), options.pid(), options.ipc(), "", Optional.of(user)),
            security.selinux(),
            security.runAsUser(),
            security.runAsGroup(),
            security.readonlyRootfs(),
            security.supplementalGroups(),
            security.supplementalGroupsPolicy(),
            security.privileged(),
            security.seccomp(),
            security.apparmor()),
        pod.sysctls(),
        pod.overhead(),
        pod.resources());
  }
}
