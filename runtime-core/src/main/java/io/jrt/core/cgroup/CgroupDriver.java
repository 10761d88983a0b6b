package io.jrt.core.cgroup;

/**
 * Who makes cgroups and where: the daemon itself ({@link CgroupfsDriver}), or systemd as units. The
 * kubelet must use the same one; RuntimeConfig tells it.
 */
public interface CgroupDriver {

  /** {@code cgroupfs} or {@code systemd}. */
  String name();

  /**
   * The cgroup path for a pod or container.
   *
   * @param parent as the request gives it, in the driver's syntax; empty for jrt's own
   * @param name of the pod or container, unique below the parent
   */
  String path(String parent, String name);

  /** See {@link CgroupManager#create}. */
  Cgroup create(String path, Resources resources);

  /** See {@link Cgroup#remove}. */
  void remove(Cgroup cgroup);
}
