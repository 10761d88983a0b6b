package io.jrt.linux;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;

/**
 * Namespaces that no process need live in: each is made by a thread or process that ends at once,
 * and kept by a bind mount on a file.
 *
 * <p>No thread of the daemon that ever entered a namespace is used again.
 */
public interface Namespaces {

  /**
   * Makes network, IPC and UTS namespaces owned by the daemon's user namespace.
   *
   * @param files where each is pinned; the files are made
   */
  void create(Map<NamespaceKind, Path> files);

  /**
   * Makes network, IPC and UTS namespaces owned by the user namespace. A process is needed for that
   * ({@code jrt-init nsholder}), since a thread of a JVM cannot enter a user namespace.
   */
  void create(Map<NamespaceKind, Path> files, Fd userNamespace, Path jrtInit);

  /** Makes a user namespace with those maps, pins it on {@code file} and opens it. */
  Fd createUser(List<IdMapping> uids, List<IdMapping> gids, Path file, Path jrtInit);

  /**
   * Removes the pins; the namespaces live on while anything else uses them. A missing one is fine.
   */
  void unpin(Set<Path> files);

  /** Opens a pinned namespace, or one of {@code /proc/PID/ns}. */
  Fd open(Path file);

  /** Opens a namespace of a process that is known to be the right one by its pidfd. */
  Fd open(Fd pidfd, int pid, NamespaceKind kind);

  /** Whether the file exists and is a namespace (not the bare file left after a reboot). */
  boolean isPinned(Path file);

  /**
   * Runs on a thread that has entered the network namespace and ends afterwards; waits for it. What
   * the callable throws is thrown here. Sockets it makes belong to that namespace for good.
   */
  <T> T inNetns(Fd netns, Callable<T> body) throws Exception;
}
