package io.jrt.core.store;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Where things of the core lie below the two directories of a daemon.
 *
 * @param root persistent, such as {@code /var/lib/jrt}
 * @param state lasts as long as the boot, such as {@code /run/jrt}
 */
public record Layout(Path root, Path state) {

  public Path podRecords() {
    return root.resolve("pods");
  }

  public Path containerRecords() {
    return root.resolve("containers");
  }

  public Path intents() {
    return state.resolve("intents");
  }

  /** The boot-scoped directories of all pods. */
  public Path pods() {
    return state.resolve("pods");
  }

  /** The boot-scoped directories of all containers. */
  public Path containers() {
    return state.resolve("containers");
  }

  public Path pod(String id) {
    return pods().resolve(id);
  }

  /** Where the pod's namespaces are pinned. */
  public Path namespaces(String podId) {
    return pod(podId).resolve("ns");
  }

  /** The pod's {@code /dev/shm}. */
  public Path shm(String podId) {
    return pod(podId).resolve("shm");
  }

  /** The pod's resolv.conf, hostname and hosts. */
  public Path etc(String podId) {
    return pod(podId).resolve("etc");
  }

  /** The keeper of the pod's shared pid namespace. */
  public Path podInit(String podId) {
    return pod(podId).resolve("init");
  }

  public Path container(String id) {
    return containers().resolve(id);
  }

  public Path keeper(String containerId) {
    return container(containerId).resolve("keeper");
  }

  /** What hooks and devices of a container need as files. */
  public Path devices(String containerId) {
    return container(containerId).resolve("devices");
  }

  public Path io(String containerId) {
    return container(containerId).resolve("io");
  }

  /** Makes a directory that only root can enter, and those above it. */
  public static Path makeDirectory(Path directory) {
    try {
      return Files.createDirectories(
          directory,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    } catch (IOException e) {
      throw new JrtException(
          ErrorKind.UNAVAILABLE, "make directory", "cannot make " + directory + ": " + e, e);
    }
  }

  /** Takes the right to list it and to write to it from all but root; one may pass it still. */
  public static void closeToOthers(Path directory) {
    try {
      Set<PosixFilePermission> permissions =
          EnumSet.copyOf(Files.getPosixFilePermissions(directory));
      permissions.removeAll(
          EnumSet.of(
              PosixFilePermission.GROUP_READ,
              PosixFilePermission.GROUP_WRITE,
              PosixFilePermission.OTHERS_READ,
              PosixFilePermission.OTHERS_WRITE));
      Files.setPosixFilePermissions(directory, permissions);
    } catch (IOException e) {
      throw new JrtException(
          ErrorKind.UNAVAILABLE, "make directory", "cannot close " + directory + ": " + e, e);
    }
  }

  /**
   * Removes a directory of the daemon's own making with everything in it. Nothing in it may be
   * mounted any more.
   */
  public static void removeDirectory(Path directory) {
    if (!Files.exists(directory, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    try (Stream<Path> tree = Files.walk(directory)) {
      for (Path path : tree.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(path);
      }
    } catch (IOException e) {
      throw new JrtException(
          ErrorKind.UNAVAILABLE, "remove directory", "cannot remove " + directory + ": " + e, e);
    }
  }
}
