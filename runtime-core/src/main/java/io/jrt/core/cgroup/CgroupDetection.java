package io.jrt.core.cgroup;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Kernel;
import io.jrt.linux.MountEntry;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Finds out from the mounts which cgroups a machine has. */
final class CgroupDetection {
  private static final Set<String> CONTROLLERS =
      Set.of(
          "blkio",
          "cpu",
          "cpuacct",
          "cpuset",
          "devices",
          "freezer",
          "hugetlb",
          "memory",
          "net_cls",
          "net_prio",
          "perf_event",
          "pids",
          "rdma",
          "misc");

  private CgroupDetection() {}

  static CgroupManager detect(Kernel kernel) {
    return of(kernel, kernel.mounts().mountInfo());
  }

  static CgroupManager of(Kernel kernel, List<MountEntry> mounts) {
    List<LegacyHierarchy> hierarchies = new ArrayList<>();
    Set<Set<String>> seen = new HashSet<>();
    Optional<Path> unified = Optional.empty();
    for (MountEntry mount : mounts) {
      switch (mount.fsType()) {
        case "cgroup2" -> {
          if (unified.isEmpty()) {
            unified = Optional.of(Path.of(mount.target()));
          }
        }
        case "cgroup" -> {
          // The same hierarchy may be mounted again, below a container's root for instance.
          if (seen.add(identity(mount))) {
            hierarchies.add(new LegacyHierarchy(Path.of(mount.target()), controllersOf(mount)));
          }
        }
        default -> {
          // Not a cgroup file system.
        }
      }
    }
    if (hierarchies.stream().allMatch(hierarchy -> hierarchy.controllers().isEmpty())) {
      return new UnifiedManager(
          kernel,
          unified.orElseThrow(
              () ->
                  new JrtException(
                      ErrorKind.FAILED_PRECONDITION,
                      "detect cgroups",
                      "no cgroup file system is mounted",
                      "mount cgroup2 on /sys/fs/cgroup",
                      null)));
    }
    return new LegacyManager(kernel, hierarchies, unified);
  }

  private static Set<String> controllersOf(MountEntry mount) {
    Set<String> controllers = new HashSet<>(mount.superOptions());
    controllers.retainAll(CONTROLLERS);
    return Set.copyOf(controllers);
  }

  /** Its controllers, or the name of one without. */
  private static Set<String> identity(MountEntry mount) {
    Set<String> controllers = controllersOf(mount);
    return controllers.isEmpty()
        ? Set.of("name=" + mount.superOption("name").orElse(""))
        : controllers;
  }
}
