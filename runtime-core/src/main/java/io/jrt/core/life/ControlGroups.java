package io.jrt.core.life;

import io.jrt.core.LinuxResources;
import io.jrt.core.cgroup.CgroupStats;
import io.jrt.core.launch.CgroupPlacement;
import io.jrt.security.DeviceRule;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * What the lives of pods and containers need of control groups. Paths begin at the hierarchy's
 * root.
 */
public interface ControlGroups {

  /** {@code cgroupfs} or {@code systemd}, for the kubelet. */
  String driver();

  /** 1 or 2. */
  int version();

  /** The v1 hierarchies that containers are shown; empty with v2. */
  List<Hierarchy> hierarchies();

  /**
   * A v1 hierarchy.
   *
   * @param directory its name below {@code /sys/fs/cgroup}, such as {@code cpu,cpuacct}
   * @param options what it is mounted with
   */
  record Hierarchy(String directory, List<String> options) {
    public Hierarchy {
      options = List.copyOf(options);
    }
  }

  /**
   * The cgroup of a pod.
   *
   * @param parent as the kubelet gave it, or empty for one of the daemon's own
   */
  String podPath(String parent, String podId);

  /** The cgroup of a container, or of a pod's init, in a pod's. */
  String childPath(String podPath, String id);

  /** Makes the pod's cgroup if it does not exist. */
  void createPod(String path, LinuxResources resources);

  /** Makes a container's cgroup with its limits; one that is there from a crash is used again. */
  void createContainer(String path, LinuxResources resources, List<DeviceRule> devices);

  /** Runs something with the descriptors by which a process is put into the cgroup. */
  <T> T place(String path, Function<CgroupPlacement, T> launch);

  /**
   * Tells that a process was placed, and who keeps it.
   *
   * @param keeper pid of its keeper
   */
  void settle(String path, int keeper);

  /** Whether the pod's cgroup is one of the daemon's own, not one that the kubelet made. */
  boolean isOwn(String path, String podId);

  /** Changes limits, all or none. */
  void update(String path, LinuxResources resources);

  /**
   * Puts a container's device rules in force again where somebody else changed them.
   *
   * @return whether something had to be put back
   */
  boolean restoreDevices(String path, List<DeviceRule> devices);

  /** Kills every process in it and below it, and waits until none is left; fine when it is gone. */
  void killAll(String path);

  /** The processes in it and below it. */
  Set<Integer> processes(String path);

  /** How often the kernel killed a process of it for want of memory. */
  long oomKills(String path);

  /** What it uses now; empty when it does not exist. */
  Optional<CgroupStats> stats(String path);

  /** Removes it; no error when it is gone. It must have no processes. */
  void remove(String path);

  /** Removes all that lies below the daemon's own cgroup, and that itself. */
  void removeAll();

  /** The paths of what lies right below the daemon's own cgroup, by the id of the pod they name. */
  Map<String, String> own();

  /** Removes what lies below the daemon's own cgroup and belongs to none of these pods. */
  List<String> collect(Set<String> podIds);
}
