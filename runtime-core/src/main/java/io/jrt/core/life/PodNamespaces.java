package io.jrt.core.life;

import io.jrt.core.IdMapping;
import io.jrt.core.UserNamespaceConfig;
import io.jrt.core.store.Layout;
import io.jrt.linux.Fd;
import io.jrt.linux.Kernel;
import io.jrt.linux.NamespaceKind;
import io.jrt.security.IdMap;
import io.jrt.security.UserNamespaceMaps;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A pod's namespaces: made without a process, and kept by bind mounts on files of its directory.
 */
final class PodNamespaces {
  private static final List<NamespaceKind> PINNED =
      List.of(NamespaceKind.NET, NamespaceKind.IPC, NamespaceKind.UTS, NamespaceKind.USER);

  private final Kernel kernel;
  private final Layout layout;
  private final Path jrtInit;

  PodNamespaces(Kernel kernel, Layout layout, Path jrtInit) {
    this.kernel = kernel;
    this.layout = layout;
    this.jrtInit = jrtInit;
  }

  /** Makes and pins what the pod does not share with the node. */
  void create(Pod pod) {
    Path directory = Layout.makeDirectory(layout.namespaces(pod.id()));
    Map<NamespaceKind, Path> files = new EnumMap<>(NamespaceKind.class);
    if (!pod.hostNetwork()) {
      files.put(NamespaceKind.NET, path(pod.id(), NamespaceKind.NET));
      // A pod in the node's network has the node's name too, as its peers know it by that.
      files.put(NamespaceKind.UTS, path(pod.id(), NamespaceKind.UTS));
    }
    if (!pod.hostIpc()) {
      files.put(NamespaceKind.IPC, path(pod.id(), NamespaceKind.IPC));
    }
    if (pod.hasUserNamespace()) {
      UserNamespaceMaps maps = maps(pod).orElseThrow();
      try (Fd user =
          kernel
              .namespaces()
              .createUser(
                  toKernel(maps.uids()),
                  toKernel(maps.gids()),
                  directory.resolve(NamespaceKind.USER.procName()),
                  jrtInit)) {
        if (!files.isEmpty()) {
          kernel.namespaces().create(files, user, jrtInit);
        }
      }
    } else if (!files.isEmpty()) {
      kernel.namespaces().create(files);
    }
  }

  /** The id maps of a pod with a user namespace, checked. */
  static Optional<UserNamespaceMaps> maps(Pod pod) {
    if (!pod.hasUserNamespace()) {
      return Optional.empty();
    }
    UserNamespaceConfig user = pod.record().config().security().namespaces().user().orElseThrow();
    return Optional.of(new UserNamespaceMaps(checked(user.uids()), checked(user.gids())));
  }

  private static List<IdMap> checked(List<IdMapping> mappings) {
    return mappings.stream()
        .map(mapping -> new IdMap(mapping.containerId(), mapping.hostId(), mapping.length()))
        .toList();
  }

  private static List<io.jrt.linux.IdMapping> toKernel(List<IdMap> maps) {
    return maps.stream()
        .map(map -> new io.jrt.linux.IdMapping(map.containerId(), map.hostId(), map.length()))
        .toList();
  }

  Path path(String podId, NamespaceKind kind) {
    return layout.namespaces(podId).resolve(kind.procName());
  }

  /** Opens one; empty when the pod shares it with the node. */
  Optional<Fd> open(Pod pod, NamespaceKind kind) {
    boolean shared =
        switch (kind) {
          case NET, UTS -> pod.hostNetwork();
          case IPC -> pod.hostIpc();
          case USER -> !pod.hasUserNamespace();
          case PID, MOUNT, CGROUP, TIME -> true;
        };
    return shared ? Optional.empty() : Optional.of(kernel.namespaces().open(path(pod.id(), kind)));
  }

  /** Whether everything that was pinned for the pod still is. */
  boolean stand(Pod pod) {
    for (NamespaceKind kind : PINNED) {
      boolean expected =
          switch (kind) {
            case NET, UTS -> !pod.hostNetwork();
            case IPC -> !pod.hostIpc();
            case USER -> pod.hasUserNamespace();
            case PID, MOUNT, CGROUP, TIME -> false;
          };
      if (expected && !kernel.namespaces().isPinned(path(pod.id(), kind))) {
        return false;
      }
    }
    return true;
  }

  /** Lets go of all pins of a pod; works also when it is known by nothing but its id. */
  void remove(String podId) {
    Set<Path> files = new HashSet<>();
    for (NamespaceKind kind : PINNED) {
      files.add(path(podId, kind));
    }
    kernel.namespaces().unpin(files);
  }
}
