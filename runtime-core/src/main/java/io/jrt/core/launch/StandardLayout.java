package io.jrt.core.launch;

import io.jrt.linux.MountFlags;
import java.util.ArrayList;
import java.util.List;

/**
 * The filesystems, links and devices that every container has, as the OCI runtime spec and
 * containerd's defaults have them. /dev/shm and cgroups are the caller's: the first is the pod's,
 * the second depends on the host.
 */
public final class StandardLayout {
  private static final long QUIET =
      MountFlags.MOUNT_ATTR_NOSUID | MountFlags.MOUNT_ATTR_NOEXEC | MountFlags.MOUNT_ATTR_NODEV;

  private StandardLayout() {}

  /**
   * /proc, /dev with devpts and mqueue and links, /sys.
   *
   * @param label the SELinux label of what can be labelled, empty for none
   */
  public static List<MountStep> mounts(boolean sysWritable, String label) {
    List<MountStep> steps = new ArrayList<>();
    steps.add(make("proc", "/proc", QUIET));
    steps.add(
        make(
            "tmpfs",
            "/dev",
            MountFlags.MOUNT_ATTR_NOSUID | MountFlags.MOUNT_ATTR_STRICTATIME,
            labelled(label, "mode=755", "size=65536k")));
    steps.add(
        make(
            "devpts",
            "/dev/pts",
            MountFlags.MOUNT_ATTR_NOSUID | MountFlags.MOUNT_ATTR_NOEXEC,
            labelled(label, "ptmxmode=0666", "mode=0620", "gid=5")));
    steps.add(make("mqueue", "/dev/mqueue", QUIET, labelled(label)));
    steps.add(make("sysfs", "/sys", sysWritable ? QUIET : QUIET | MountFlags.MOUNT_ATTR_RDONLY));
    steps.add(link("/dev/ptmx", "pts/ptmx"));
    steps.add(link("/dev/fd", "/proc/self/fd"));
    steps.add(link("/dev/stdin", "/proc/self/fd/0"));
    steps.add(link("/dev/stdout", "/proc/self/fd/1"));
    steps.add(link("/dev/stderr", "/proc/self/fd/2"));
    steps.add(link("/dev/core", "/proc/kcore"));
    return List.copyOf(steps);
  }

  private static String[] labelled(String label, String... options) {
    List<String> all = new ArrayList<>(List.of(options));
    if (!label.isEmpty()) {
      all.add("context=" + label);
    }
    return all.toArray(String[]::new);
  }

  /** A /dev/shm of the container's own, of the default size. */
  public static MountStep privateShm() {
    return make("tmpfs", "/dev/shm", QUIET, "mode=1777", "size=65536k");
  }

  /** null, zero, full, random, urandom and tty. */
  public static List<DeviceNode> devices() {
    return List.of(
        node("null", 1, 3),
        node("zero", 1, 5),
        node("full", 1, 7),
        node("random", 1, 8),
        node("urandom", 1, 9),
        node("tty", 5, 0));
  }

  private static MountStep make(String type, String target, long attributes, String... options) {
    return new MountStep.Make(type, type, CString.of(target), List.of(options), attributes);
  }

  private static MountStep link(String target, String content) {
    return new MountStep.Link(CString.of(target), CString.of(content));
  }

  private static DeviceNode node(String name, int major, int minor) {
    CString path = CString.of("/dev/" + name);
    return new DeviceNode(path, path, DeviceNode.Type.CHARACTER, major, minor, 0666, 0, 0);
  }
}
