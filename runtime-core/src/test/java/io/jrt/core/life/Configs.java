package io.jrt.core.life;

import io.jrt.core.ContainerSecurity;
import io.jrt.core.NamespaceMode;
import io.jrt.core.NamespaceOptions;

/** Requests with one thing changed. */
final class Configs {
  private Configs() {}

  static ContainerSecurity withPid(ContainerSecurity security, NamespaceMode pid) {
    NamespaceOptions options = security.namespaces();
    return new ContainerSecurity(
        security.capabilities(),
        security.privileged(),
        new NamespaceOptions(
            options.network(), pid, options.ipc(), options.targetId(), options.user()),
        security.selinux(),
        security.runAsUser(),
        security.runAsGroup(),
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
}
