package io.jrt.core.life;

import io.jrt.core.spec.AccountFiles;
import io.jrt.image.Snapshot;
import io.jrt.linux.Errno;
import io.jrt.linux.Fd;
import io.jrt.linux.Kernel;
import io.jrt.linux.KernelException;
import io.jrt.linux.Layer;
import io.jrt.linux.MountAttributes;
import io.jrt.linux.OpenFlags;
import io.jrt.linux.OpenHow;
import io.jrt.linux.OverlayOptions;
import io.jrt.linux.Stat;
import io.jrt.security.UserNamespaceMaps;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * The root file system of a container: its image's layers and its own writable one as an overlay,
 * mounted nowhere.
 */
final class Rootfs {
  private final Kernel kernel;

  /** Files of hostile images may be large, and a node may start many containers at once. */
  private final Semaphore accountReaders = new Semaphore(8);

  Rootfs(Kernel kernel) {
    this.kernel = kernel;
  }

  /**
   * The writable root. It is not synced when it is unmounted: its content matters as long as the
   * container does, and no container outlives a power cut.
   *
   * @param label what all its files carry for SELinux, empty for none
   * @param userNamespace maps the ids of the layers, whose files belong to the node's root on disk
   */
  Fd mount(
      Snapshot snapshot,
      Optional<Fd> userNamespace,
      Optional<UserNamespaceMaps> maps,
      String label) {
    forgetEarlierMount(snapshot.work());
    maps.ifPresent(map -> giveToMappedRoot(snapshot, map));
    List<Fd> mapped = new ArrayList<>();
    try {
      List<Layer> lower = new ArrayList<>();
      for (Path directory : snapshot.lowerDirs()) {
        if (userNamespace.isPresent()) {
          Fd layer = kernel.mounts().bindClone(directory, false);
          mapped.add(layer);
          kernel
              .mounts()
              .setAttributes(layer, MountAttributes.NONE.idmapped(userNamespace.get()), false);
          lower.add(Layer.of(layer));
        } else {
          lower.add(Layer.of(directory));
        }
      }
      return kernel
          .mounts()
          .overlay(
              OverlayOptions.writable(lower, snapshot.upper(), snapshot.work())
                  .asVolatile()
                  .labelled(label));
    } finally {
      mapped.forEach(Fd::close);
    }
  }

  /**
   * Overlayfs refuses a work directory that was used without sync before. It was only by a start
   * that did not come to an end, in which nothing was written by anybody.
   */
  private void forgetEarlierMount(Path work) {
    try (Fd directory = kernel.files().openDirectory(work)) {
      kernel.files().removeTree(directory, "work");
    }
  }

  private void giveToMappedRoot(Snapshot snapshot, UserNamespaceMaps map) {
    int uid = (int) map.hostUid(0);
    int gid = (int) map.hostGid(0);
    for (Path path : List.of(snapshot.upper(), snapshot.work())) {
      try (Fd directory = kernel.files().openDirectory(path)) {
        kernel.files().fchown(directory, uid, gid);
      }
    }
  }

  /**
   * What somebody makes of the accounts in an image, read from its layers without running or
   * mounting anything of it.
   */
  <T> T withAccounts(List<Path> lowerDirs, Function<AccountFiles, T> use) {
    return inTurn(
        () -> {
          if (lowerDirs.size() == 1) {
            try (Fd root = kernel.files().openDirectory(lowerDirs.getFirst())) {
              return use.apply(accounts(root));
            }
          }
          List<Layer> lower = lowerDirs.stream().map(Layer::of).toList();
          try (Fd root = kernel.mounts().overlay(OverlayOptions.readOnly(lower))) {
            return use.apply(accounts(root));
          }
        });
  }

  /** The same of the accounts in a container, as its process sees them now. */
  <T> T withAccounts(int pid, Function<AccountFiles, T> use) {
    return inTurn(
        () -> {
          try (Fd root = kernel.files().openDirectory(Path.of("/proc/" + pid + "/root"))) {
            return use.apply(accounts(root));
          }
        });
  }

  private <T> T inTurn(Supplier<T> use) {
    accountReaders.acquireUninterruptibly();
    try {
      return use.get();
    } finally {
      accountReaders.release();
    }
  }

  private AccountFiles accounts(Fd root) {
    return AccountFiles.of(read(root, "etc/passwd"), read(root, "etc/group"));
  }

  /** What the loader of the image knows; empty when it has no such cache. */
  byte[] loaderCache(Fd root) {
    return read(root, "etc/ld.so.cache");
  }

  /** A regular file of the image, its links resolved inside the image; empty when there is none. */
  private byte[] read(Fd root, String path) {
    int flags = OpenFlags.O_RDONLY | OpenFlags.O_NONBLOCK | OpenFlags.O_NOCTTY;
    try (Fd file = kernel.files().openat2(root, path, OpenHow.inRoot(flags))) {
      Stat stat = kernel.files().fstat(file);
      if (!stat.isRegular()) {
        return new byte[0];
      }
      byte[] content = new byte[(int) Math.min(stat.size(), AccountFiles.MAX_BYTES)];
      int length = 0;
      for (int count = 1; count > 0 && length < content.length; length += count) {
        count = kernel.files().read(file, content, length, content.length - length);
      }
      return length == content.length ? content : Arrays.copyOf(content, length);
    } catch (KernelException e) {
      if (e.is(Errno.ENOENT, Errno.ENOTDIR, Errno.ELOOP, Errno.EACCES, Errno.ENXIO)) {
        return new byte[0];
      }
      throw e;
    }
  }

  /**
   * A root and more mounts of directories in it.
   *
   * @param mount takes the place of the root that was given
   */
  record WithDirectories(Fd mount, Map<String, Fd> directories) {}

  /**
   * A second mount of directories of the writable root, for volumes that an image declares: they
   * stay writable when the root is made read-only.
   */
  WithDirectories writableDirectories(Fd root, List<String> paths) {
    if (paths.isEmpty()) {
      return new WithDirectories(root, Map.of());
    }
    paths.forEach(path -> makeDirectories(root, relative(path)));
    try {
      return new WithDirectories(root, cloned(root, paths));
    } catch (KernelException e) {
      if (!e.is(Errno.EINVAL)) {
        throw e;
      }
    }
    return kernel
        .mounts()
        .whileAttached(
            List.of(root),
            () -> {
              Map<String, Fd> directories = cloned(root, paths);
              try {
                return new WithDirectories(kernel.mounts().bindClone(root, false), directories);
              } catch (RuntimeException e) {
                directories.values().forEach(Fd::close);
                throw e;
              }
            });
  }

  private Map<String, Fd> cloned(Fd root, List<String> paths) {
    Map<String, Fd> clones = new LinkedHashMap<>();
    int flags = OpenFlags.O_PATH | OpenFlags.O_DIRECTORY;
    try {
      for (String path : paths) {
        try (Fd directory = kernel.files().openat2(root, relative(path), OpenHow.inRoot(flags))) {
          clones.put(path, kernel.mounts().bindClone(directory, false));
        }
      }
      return clones;
    } catch (RuntimeException e) {
      clones.values().forEach(Fd::close);
      throw e;
    }
  }

  private static String relative(String path) {
    return path.startsWith("/") ? path.substring(1) : path;
  }

  private void makeDirectories(Fd root, String relative) {
    StringBuilder sofar = new StringBuilder();
    for (String part : relative.split("/")) {
      if (part.isEmpty()) {
        continue;
      }
      String parent = sofar.isEmpty() ? "." : sofar.toString();
      sofar.append(sofar.isEmpty() ? "" : "/").append(part);
      try (Fd above =
          kernel
              .files()
              .openat2(root, parent, OpenHow.inRoot(OpenFlags.O_RDONLY | OpenFlags.O_DIRECTORY))) {
        kernel.files().mkdirIfAbsent(above, part, 0755);
      }
    }
  }
}
