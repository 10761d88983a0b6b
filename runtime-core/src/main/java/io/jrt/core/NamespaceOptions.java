package io.jrt.core;

import java.util.Optional;

/**
 * Which namespaces a pod or container shares.
 *
 * @param targetId the container whose pid namespace is joined, with pid mode {@code TARGET}; else
 *     empty
 */
public record NamespaceOptions(
    NamespaceMode network,
    NamespaceMode pid,
    NamespaceMode ipc,
    String targetId,
    Optional<UserNamespaceConfig> user) {
  /** What CRI means by an absent message: everything of the pod, no user namespace. */
  public static final NamespaceOptions DEFAULT =
      new NamespaceOptions(
          NamespaceMode.POD, NamespaceMode.POD, NamespaceMode.POD, "", Optional.empty());
}
