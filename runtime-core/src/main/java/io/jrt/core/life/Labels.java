package io.jrt.core.life;

import io.jrt.core.ContainerConfig;
import io.jrt.core.PodConfig;
import io.jrt.core.SelinuxOptions;
import io.jrt.core.store.ContainerRecord;
import io.jrt.core.store.PodRecord;
import io.jrt.security.Selinux;
import io.jrt.security.SelinuxLabels;
import java.util.Optional;

/**
 * The SELinux labels of pods and containers, held from creation to removal. A pod has categories of
 * its own, which its containers share unless they ask for others; where the kernel has no SELinux,
 * every label is empty.
 */
final class Labels {
  private final Selinux selinux;

  Labels(Selinux selinux) {
    this.selinux = selinux;
  }

  SelinuxLabels allocate(PodConfig config) {
    return selinux.allocate(options(config.security().selinux(), ""));
  }

  SelinuxLabels allocate(ContainerConfig config, PodRecord pod) {
    Optional<SelinuxOptions> asked = config.security().selinux();
    return selinux.allocate(
        options(asked.isPresent() ? asked : pod.config().security().selinux(), level(pod)));
  }

  /** What the first process, and commands, of a container run as. */
  String process(ContainerRecord record) {
    return record.config().security().privileged()
        ? selinux.privileged()
        : record.labels().process();
  }

  void reserve(SelinuxLabels labels) {
    selinux.reserve(labels.process());
  }

  void release(SelinuxLabels labels) {
    selinux.release(labels.process());
  }

  private static String level(PodRecord pod) {
    String[] parts = pod.labels().process().split(":", 4);
    return parts.length == 4 ? parts[3] : "";
  }

  private static io.jrt.security.SelinuxOptions options(
      Optional<SelinuxOptions> asked, String level) {
    return asked
        .map(
            options ->
                new io.jrt.security.SelinuxOptions(
                    options.user(),
                    options.role(),
                    options.type(),
                    options.level().isEmpty() ? level : options.level()))
        .orElse(new io.jrt.security.SelinuxOptions("", "", "", level));
  }
}
