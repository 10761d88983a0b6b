package io.jrt.linux;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** {@link Mounts} by system calls. */
final class KernelMounts implements Mounts {
  private static final byte[] EMPTY = new byte[0];
  private static final int FSOPEN_CLOEXEC = 1;
  private static final int FSPICK_CLOEXEC = 1;

  private final Files files;

  KernelMounts(Files files) {
    this.files = files;
  }

  // Whole mounts

  @Override
  public Fd overlay(OverlayOptions options) {
    OverlayMount overlay = new OverlayMount(files, this, options);
    List<Fd> layers = options.lower().stream().flatMap(KernelMounts::descriptor).toList();
    return layers.isEmpty() || canBeLayer(layers.getFirst())
        ? overlay.make()
        : whileAttached(layers, overlay::make);
  }

  /** A failed overlay would leave its mark in the work directory; a clone leaves none. */
  private boolean canBeLayer(Fd mount) {
    try (Fd clone = bindClone(mount, false)) {
      return clone.value() >= 0;
    } catch (KernelException e) {
      if (e.is(Errno.EINVAL)) {
        return false;
      }
      throw e;
    }
  }

  private static Stream<Fd> descriptor(Layer layer) {
    return switch (layer) {
      case Layer.OfFd(Fd fd) -> Stream.of(fd);
      case Layer.OfPath(Path path) -> Stream.empty();
    };
  }

  @Override
  public Fd tmpfs(Map<String, String> options, long attributes) {
    return newMount("tmpfs", "tmpfs", options, attributes);
  }

  @Override
  public Fd newMount(String fsType, String source, Map<String, String> options, long attributes) {
    try (FsContext context = fsopen(fsType)) {
      if (!source.isEmpty()) {
        context.string("source", source);
      }
      options.forEach(
          (key, value) -> {
            if (value.isEmpty()) {
              context.flag(key);
            } else {
              context.string(key, value);
            }
          });
      return context.create().mount(attributes);
    }
  }

  @Override
  public Fd bindClone(Fd source, boolean recursive) {
    int flags = MountFlags.OPEN_TREE_CLONE | At.AT_EMPTY_PATH;
    return openTree(source, "", recursive ? flags | At.AT_RECURSIVE : flags);
  }

  @Override
  public Fd bindClone(Path source, boolean recursive) {
    int flags = MountFlags.OPEN_TREE_CLONE;
    return openTree(Fd.CWD, source.toString(), recursive ? flags | At.AT_RECURSIVE : flags);
  }

  @Override
  public void setAttributes(Fd mount, MountAttributes change, boolean recursive) {
    setAttributes(
        mount, "", change, recursive ? At.AT_EMPTY_PATH | At.AT_RECURSIVE : At.AT_EMPTY_PATH);
  }

  @Override
  public void setAttributes(Path mountPoint, MountAttributes change, boolean recursive) {
    setAttributes(Fd.CWD, mountPoint.toString(), change, recursive ? At.AT_RECURSIVE : 0);
  }

  private static void setAttributes(Fd dir, String path, MountAttributes change, int flags) {
    try (Scratch scratch = Scratch.take()) {
      int at = scratch.zeroed(32);
      long set = change.set();
      long clear = change.clear();
      if ((set & MountFlags.MOUNT_ATTR_ATIME) != 0) {
        // The atime settings exclude each other: the kernel wants the old one cleared.
        clear |= MountFlags.MOUNT_ATTR_ATIME;
      }
      if (change.userNamespace().isPresent()) {
        set |= MountFlags.MOUNT_ATTR_IDMAP;
        scratch.memory.putLong(at + 24, change.userNamespace().get().value());
      }
      scratch.memory.putLong(at, set);
      scratch.memory.putLong(at + 8, clear);
      scratch.memory.putLong(at + 16, change.propagation().flag());
      long result =
          Native.retry(
              SystemCall.MOUNT_SETATTR,
              dir.value(),
              scratch.string("mount_setattr", path.getBytes(UTF_8)),
              flags,
              scratch.address(at),
              32,
              0);
      if (result == -1) {
        throw Native.failure(SystemCall.MOUNT_SETATTR, path.isEmpty() ? dir.toString() : path);
      }
    }
  }

  @Override
  public void attach(Fd mount, Path target) {
    attach(mount, Fd.CWD, target.toString().getBytes(UTF_8));
  }

  @Override
  public void attach(Fd mount, Fd target) {
    moveMount(
        mount,
        EMPTY,
        target,
        EMPTY,
        MountFlags.MOVE_MOUNT_F_EMPTY_PATH | MountFlags.MOVE_MOUNT_T_EMPTY_PATH);
  }

  @Override
  public void attach(Fd mount, Fd dir, byte[] name) {
    moveMount(mount, EMPTY, dir, name, MountFlags.MOVE_MOUNT_F_EMPTY_PATH);
  }

  @Override
  public <T> T whileAttached(List<Fd> detached, Supplier<T> body) {
    try {
      return DisposableThread.run(
          "jrt-mounts",
          () -> {
            int flags = NamespaceKind.MOUNT.cloneFlag();
            if (Native.retry(SystemCall.UNSHARE, flags, 0, 0, 0) == -1) {
              throw Native.failure(SystemCall.UNSHARE, "mount namespace");
            }
            setAttributes(Path.of("/"), MountAttributes.NONE.with(Propagation.PRIVATE), true);
            // On top of the root, one above the other: paths still start below them.
            detached.forEach(mount -> attach(mount, Path.of("/")));
            return body.get();
          });
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException("the body throws nothing checked", e);
    }
  }

  @Override
  public boolean detach(Path target) {
    try {
      umount(target.toString(), MountFlags.MNT_DETACH | MountFlags.UMOUNT_NOFOLLOW);
      return true;
    } catch (KernelException e) {
      if (e.is(Errno.EINVAL, Errno.ENOENT)) {
        return false;
      }
      throw e;
    }
  }

  @Override
  public void pin(Fd file, Path target) {
    // open_tree refuses the kernel's own mounts, where namespaces live; the old call takes them.
    mount(file.procPath(), target.toString(), "", MountFlags.MS_BIND, "");
  }

  // The calls themselves

  @Override
  public FsContext fsopen(String fsType) {
    try (Scratch scratch = Scratch.take()) {
      long name = scratch.string("fsopen", fsType.getBytes(UTF_8));
      long result = Native.retry(SystemCall.FSOPEN, name, FSOPEN_CLOEXEC, 0, 0);
      if (result == -1) {
        throw Native.failure(SystemCall.FSOPEN, fsType);
      }
      return new KernelFsContext(Fd.own((int) result), fsType);
    }
  }

  @Override
  public FsContext fspick(Fd dir, String path, int flags) {
    try (Scratch scratch = Scratch.take()) {
      long name = scratch.string("fspick", path.getBytes(UTF_8));
      long result = Native.retry(SystemCall.FSPICK, dir.value(), name, flags | FSPICK_CLOEXEC, 0);
      if (result == -1) {
        throw Native.failure(SystemCall.FSPICK, path);
      }
      return new KernelFsContext(Fd.own((int) result), path);
    }
  }

  @Override
  public Fd openTree(Fd dir, String path, int flags) {
    try (Scratch scratch = Scratch.take()) {
      long name = scratch.string("open_tree", path.getBytes(UTF_8));
      long result =
          Native.retry(SystemCall.OPEN_TREE, dir.value(), name, flags | OpenFlags.O_CLOEXEC, 0);
      if (result == -1) {
        throw Native.failure(SystemCall.OPEN_TREE, path.isEmpty() ? dir.toString() : path);
      }
      return Fd.own((int) result);
    }
  }

  @Override
  public void moveMount(Fd fromDir, byte[] from, Fd toDir, byte[] to, int flags) {
    try (Scratch scratch = Scratch.take()) {
      long result =
          Native.retry(
              SystemCall.MOVE_MOUNT,
              fromDir.value(),
              scratch.string("move_mount", from),
              toDir.value(),
              scratch.string("move_mount", to),
              flags,
              0);
      if (result == -1) {
        throw Native.failure(
            SystemCall.MOVE_MOUNT,
            "to " + (to.length == 0 ? toDir.toString() : Native.printable(to)));
      }
    }
  }

  @Override
  public void mount(String source, String target, String fsType, long flags, String data) {
    try (Scratch scratch = Scratch.take()) {
      long result =
          Native.retry(
              SystemCall.MOUNT,
              scratch.string("mount", source.getBytes(UTF_8)),
              scratch.string("mount", target.getBytes(UTF_8)),
              scratch.string("mount", fsType.getBytes(UTF_8)),
              flags,
              data.isEmpty() ? 0 : scratch.string("mount", data.getBytes(UTF_8)),
              0);
      if (result == -1) {
        throw Native.failure(SystemCall.MOUNT, source + " on " + target);
      }
    }
  }

  @Override
  public void umount(String target, int flags) {
    try (Scratch scratch = Scratch.take()) {
      long path = scratch.string("umount2", target.getBytes(UTF_8));
      if (Native.retry(SystemCall.UMOUNT2, path, flags, 0, 0) == -1) {
        throw Native.failure(SystemCall.UMOUNT2, target);
      }
    }
  }

  // Looking

  @Override
  public List<MountEntry> mountInfo() {
    return MountInfo.parse(files.readString(Fd.CWD, "/proc/self/mountinfo"));
  }

  @Override
  public List<MountEntry> mountInfo(int pid) {
    return MountInfo.parse(files.readString(Fd.CWD, "/proc/" + pid + "/mountinfo"));
  }
}
