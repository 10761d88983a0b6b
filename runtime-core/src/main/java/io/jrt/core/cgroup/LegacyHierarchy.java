package io.jrt.core.cgroup;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * One mounted v1 hierarchy.
 *
 * @param controllers {@code cpu}, {@code memory}…; none for a named one ({@code name=systemd})
 */
record LegacyHierarchy(Path root, Set<String> controllers) {

  /** Makes a cgroup; in a cpuset one, with the parent's sets, without which it takes no process. */
  void make(CgroupDir parent, CgroupDir dir, List<CgroupDir> made) {
    if (dir.make()) {
      made.add(dir);
    }
    if (controllers.contains("cpuset")) {
      inherit(parent, dir, "cpuset.cpus");
      inherit(parent, dir, "cpuset.mems");
    }
  }

  private static void inherit(CgroupDir parent, CgroupDir dir, String file) {
    Optional<String> own = dir.read(file);
    if (own.isPresent() && own.get().isEmpty()) {
      parent.read(file).filter(set -> !set.isEmpty()).ifPresent(set -> dir.write(file, set));
    }
  }
}
