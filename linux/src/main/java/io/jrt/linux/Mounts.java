package io.jrt.linux;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Mounts as descriptors: made detached, given their attributes, and only then attached. A detached
 * mount vanishes when its last descriptor is closed.
 */
public interface Mounts {

  // Whole mounts -----------------------------------------------------------------------------

  /**
   * An overlay, detached. Layers are given one by one ({@code lowerdir+}, Linux 6.7), so hundreds
   * fit; older kernels get one option string, which must fit in a page.
   */
  Fd overlay(OverlayOptions options);

  /**
   * A tmpfs, detached.
   *
   * @param options file system options as {@code size} to {@code 64m}, {@code mode} to {@code 1777}
   * @param attributes {@code MOUNT_ATTR_*} bits
   */
  Fd tmpfs(Map<String, String> options, long attributes);

  /** Any file system with string options; an empty value makes a flag. */
  Fd newMount(String fsType, String source, Map<String, String> options, long attributes);

  /** A private copy of the mount at the descriptor, detached: a bind mount not yet attached. */
  Fd bindClone(Fd source, boolean recursive);

  /** The same of a path, final symbolic link followed. */
  Fd bindClone(Path source, boolean recursive);

  /** Changes attributes of a mount, or of it and all below it. */
  void setAttributes(Fd mount, MountAttributes change, boolean recursive);

  /** Changes attributes of the mount at a path. */
  void setAttributes(Path mountPoint, MountAttributes change, boolean recursive);

  /** Attaches a detached mount; a final symbolic link of {@code target} is not followed. */
  void attach(Fd mount, Path target);

  /** Attaches it on the very file or directory of the (O_PATH) descriptor. */
  void attach(Fd mount, Fd target);

  /** Attaches it on a name below a directory; a final symbolic link is not followed. */
  void attach(Fd mount, Fd dir, byte[] name);

  /**
   * Detaches the mount at a path from the tree at once; it is gone when its last user is. False
   * when nothing is mounted there or the path does not exist.
   */
  boolean detach(Path target);

  /**
   * Runs the body while the detached mounts are attached, in a mount namespace of the calling
   * thread that ends with it. Before Linux 6.15 only attached mounts can be cloned or be layers of
   * an overlay. Clones and overlays that the body makes are detached and stay; the mounts
   * themselves cannot be attached anywhere afterwards.
   */
  <T> T whileAttached(List<Fd> mounts, Supplier<T> body);

  /** Bind-mounts an open file on a path, as namespaces are pinned. */
  void pin(Fd file, Path target);

  // The calls themselves ---------------------------------------------------------------------

  FsContext fsopen(String fsType);

  /**
   * @param flags {@code FSPICK_*}
   */
  FsContext fspick(Fd dir, String path, int flags);

  /**
   * @param flags OPEN_TREE_CLONE, AT_RECURSIVE, AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW
   */
  Fd openTree(Fd dir, String path, int flags);

  /**
   * @param flags {@code MOVE_MOUNT_*}
   */
  void moveMount(Fd fromDir, byte[] from, Fd toDir, byte[] to, int flags);

  /** The old mount(2), for what the new calls cannot do. */
  void mount(String source, String target, String fsType, long flags, String data);

  void umount(String target, int flags);

  // Looking ----------------------------------------------------------------------------------

  /** The mounts this process sees. */
  List<MountEntry> mountInfo();

  /** The mounts another process sees ({@code /proc/PID/mountinfo}). */
  List<MountEntry> mountInfo(int pid);
}
