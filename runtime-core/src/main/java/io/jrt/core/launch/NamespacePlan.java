package io.jrt.core.launch;

/**
 * The namespaces of a container. Its mount namespace is always new. A user namespace is made before
 * (its maps are written from outside) and joined, or is the host's; the others that are new are
 * owned by it.
 */
public record NamespacePlan(
    NamespaceSource user,
    NamespaceSource pid,
    NamespaceSource network,
    NamespaceSource ipc,
    NamespaceSource uts,
    NamespaceSource cgroup) {
  /** Everything new but the user namespace. */
  public static final NamespacePlan ISOLATED =
      new NamespacePlan(
          NamespaceSource.HOST,
          NamespaceSource.NEW,
          NamespaceSource.NEW,
          NamespaceSource.NEW,
          NamespaceSource.NEW,
          NamespaceSource.NEW);

  public NamespacePlan {
    if (user instanceof NamespaceSource.New) {
      throw new IllegalArgumentException("a user namespace is made before the launch and joined");
    }
  }
}
