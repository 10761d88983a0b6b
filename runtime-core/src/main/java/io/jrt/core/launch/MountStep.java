package io.jrt.core.launch;

import io.jrt.linux.Fd;
import java.util.List;

/**
 * One step of building the container's mount tree, done in the order of the list, before the root
 * is changed. Targets are absolute paths in the container, resolved inside its rootfs whatever
 * symbolic links the image has; what is missing there is made.
 */
public sealed interface MountStep {
  CString target();

  /**
   * A mount that was prepared outside: all its attributes, its propagation and its idmap are set.
   *
   * @param mount a detached mount; stays the caller's to close
   * @param directory whether its root is a directory (else the target is made as a file)
   */
  record Attach(Fd mount, CString target, boolean directory) implements MountStep {}

  /**
   * A filesystem that must be made in the container's namespaces: proc, sysfs, tmpfs, devpts,
   * mqueue, cgroup, cgroup2.
   *
   * @param options of the filesystem, {@code key} or {@code key=value} each
   * @param attributes MOUNT_ATTR_* bits of the mount
   */
  record Make(String type, String source, CString target, List<String> options, long attributes)
      implements MountStep {
    public Make {
      options = List.copyOf(options);
    }
  }

  /**
   * Sets attributes of what is mounted at the target by now, as read-only after all below it is in
   * place.
   *
   * @param attributes MOUNT_ATTR_* bits to set
   */
  record Restrict(CString target, long attributes, boolean recursive) implements MountStep {}

  /** A symbolic link at the target; one that is there already is left alone. */
  record Link(CString target, CString content) implements MountStep {}
}
