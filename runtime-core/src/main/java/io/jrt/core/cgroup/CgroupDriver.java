package io.jrt.core.cgroup;

import java.time.Duration;
import java.util.Optional;

/**
 * Who makes cgroups and where: the daemon itself ({@link CgroupfsDriver}), or systemd as units. The
 * kubelet must use the same one; RuntimeConfig tells it.
 */
public interface CgroupDriver {
  /** How long processes that are killed may take to go. */
  Duration KILL_PATIENCE = Duration.ofSeconds(10);

  /** {@code cgroupfs} or {@code systemd}. */
  String name();

  /** The cgroup below which pods go that have no other parent. */
  String ownParent();

  /** The pod to which a cgroup below {@link #ownParent} belongs, by its name; empty for others. */
  Optional<String> podIdOf(String child);

  /**
   * The cgroup path of a pod.
   *
   * @param parent as the request gives it, which then is the pod's own; empty for one of jrt's
   */
  String podPath(String parent, String podId);

  /**
   * The cgroup path for a container in a pod.
   *
   * @param parent the pod's path
   * @param name of the container, unique below the parent
   */
  String path(String parent, String name);

  /** Removes the cgroup below which pods go, and kills what is in it. */
  void removeOwnParent();

  /** See {@link CgroupManager#create}. */
  Cgroup create(String path, Resources resources);

  /**
   * Tells that a process was started in the cgroup, and who keeps it.
   *
   * @param keeper pid of the process that lives until the cgroup is not needed any more
   */
  void settle(String path, int keeper);

  /** See {@link Cgroup#update}. */
  void update(Cgroup cgroup, Resources resources);

  /** See {@link Cgroup#remove}. */
  void remove(Cgroup cgroup);
}
