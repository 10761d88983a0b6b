package io.jrt.core.life;

import io.jrt.core.launch.CString;
import io.jrt.core.launch.MountStep;
import io.jrt.linux.At;
import io.jrt.linux.DeviceNumber;
import io.jrt.linux.Errno;
import io.jrt.linux.Fd;
import io.jrt.linux.FileMode;
import io.jrt.linux.Kernel;
import io.jrt.linux.KernelException;
import io.jrt.linux.MountFlags;
import io.jrt.security.DeviceNode;
import io.jrt.security.UserNamespaceMaps;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.LongUnaryOperator;

/**
 * Device files for a user namespace, in which none can be made. They are made outside, in a file
 * system of their own, and mounted one by one: so they belong to the container's users, where a
 * bind mount of the node's file would belong to nobody.
 */
final class DeviceFiles {
  private final Kernel kernel;
  private final UserNamespaceMaps maps;

  DeviceFiles(Kernel kernel, UserNamespaceMaps maps) {
    this.kernel = kernel;
    this.maps = maps;
  }

  /** Makes the files; their mounts are the plan's. */
  List<MountStep> steps(LaunchPlan plan, List<DeviceNode> granted) {
    List<DeviceNode> nodes = granted.stream().filter(node -> node.type() != 'p').toList();
    if (nodes.isEmpty()) {
      return List.of();
    }
    try (Fd files = kernel.mounts().tmpfs(Map.of("mode", "755"), 0)) {
      for (int i = 0; i < nodes.size(); i++) {
        make(files, name(i), nodes.get(i));
      }
      List<Fd> mounts;
      try {
        mounts = clones(files, nodes.size());
      } catch (KernelException e) {
        if (!e.is(Errno.EINVAL)) {
          throw e;
        }
        // Before Linux 6.15 only what is attached can be cloned.
        mounts = kernel.mounts().whileAttached(List.of(files), () -> clones(files, nodes.size()));
      }
      List<MountStep> steps = new ArrayList<>();
      for (int i = 0; i < nodes.size(); i++) {
        CString target = CString.of(nodes.get(i).path());
        steps.add(new MountStep.Attach(plan.own(mounts.get(i)), target, false));
      }
      return steps;
    }
  }

  private void make(Fd directory, byte[] name, DeviceNode node) {
    int type = node.type() == 'b' ? FileMode.S_IFBLK : FileMode.S_IFCHR;
    long number = DeviceNumber.of((int) node.major(), (int) node.minor());
    kernel.files().mknodat(directory, name, type | node.mode(), number);
    kernel
        .files()
        .fchmodat(directory, name, node.mode(), 0); // the mask of this process is nobody's
    int uid = (int) mapped(node.uid(), maps::hostUid);
    int gid = (int) mapped(node.gid(), maps::hostGid);
    kernel.files().fchownat(directory, name, uid, gid, At.AT_SYMLINK_NOFOLLOW);
  }

  /** Who has no id in the container is its root there. */
  private static long mapped(long id, LongUnaryOperator toHost) {
    long host = toHost.applyAsLong(id);
    return host >= 0 ? host : toHost.applyAsLong(0);
  }

  private List<Fd> clones(Fd files, int count) {
    List<Fd> clones = new ArrayList<>();
    try {
      for (int i = 0; i < count; i++) {
        clones.add(clone(files, i));
      }
      return clones;
    } catch (RuntimeException e) {
      clones.forEach(Fd::close);
      throw e;
    }
  }

  private Fd clone(Fd files, int i) {
    int flags = MountFlags.OPEN_TREE_CLONE | At.AT_SYMLINK_NOFOLLOW;
    return kernel.mounts().openTree(files, Integer.toString(i), flags);
  }

  private static byte[] name(int i) {
    return Integer.toString(i).getBytes(StandardCharsets.US_ASCII);
  }
}
