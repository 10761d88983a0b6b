package io.jrt.core.cgroup;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Kernel;
import io.jrt.linux.KernelException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** The hierarchies of v1, and the v2 one where it is mounted beside them. */
final class LegacyManager implements CgroupManager {
  private final Kernel kernel;
  private final List<LegacyHierarchy> hierarchies;
  private final Optional<UnifiedManager> unified;
  private final List<String> hugepageSizes;

  LegacyManager(Kernel kernel, List<LegacyHierarchy> hierarchies, Optional<Path> unifiedRoot) {
    this.kernel = kernel;
    this.hierarchies = List.copyOf(hierarchies);
    this.unified = unifiedRoot.map(root -> new UnifiedManager(kernel, root));
    this.hugepageSizes = HugepageSizes.of(kernel.files());
  }

  @Override
  public int version() {
    return 1;
  }

  @Override
  public Set<String> controllers() {
    Set<String> all = new TreeSet<>();
    hierarchies.forEach(hierarchy -> all.addAll(hierarchy.controllers()));
    unified.ifPresent(manager -> all.addAll(manager.controllers()));
    if (all.remove("blkio")) {
      all.add("io");
    }
    return all;
  }

  @Override
  public Cgroup create(String path, Resources resources) {
    String checked = CgroupPath.check(path);
    LegacyCgroup cgroup = cgroup(checked);
    List<CgroupDir> made = new ArrayList<>();
    try {
      for (LegacyHierarchy hierarchy : hierarchies) {
        make(hierarchy, checked, made);
      }
      unified.ifPresent(manager -> manager.make(checked, made));
      if (cgroup.isPopulated()) {
        throw new JrtException(
            ErrorKind.ALREADY_EXISTS,
            "create cgroup",
            "cgroup " + checked + " exists and has processes " + cgroup.processes());
      }
      cgroup.update(resources);
      return cgroup;
    } catch (RuntimeException e) {
      UnifiedManager.removeAll(made, e);
      throw e;
    }
  }

  private void make(LegacyHierarchy hierarchy, String path, List<CgroupDir> made) {
    CgroupDir parent = new CgroupDir(kernel.files(), hierarchy.root());
    for (String name : CgroupPath.names(path)) {
      CgroupDir dir = parent.child(name);
      try {
        hierarchy.make(parent, dir, made);
      } catch (KernelException e) {
        throw new JrtException(
            ErrorKind.FAILED_PRECONDITION,
            "create cgroup",
            "cgroup " + dir + " cannot be made: " + e.getMessage(),
            e);
      }
      parent = dir;
    }
  }

  private LegacyCgroup cgroup(String checked) {
    return new LegacyCgroup(
        kernel,
        checked,
        hierarchies,
        unified.map(manager -> manager.cgroup(checked)),
        unified.map(UnifiedManager::controllers).orElse(Set.of()),
        hugepageSizes);
  }

  @Override
  public Optional<Cgroup> find(String path) {
    LegacyCgroup cgroup = cgroup(CgroupPath.check(path));
    return cgroup.exists() ? Optional.of(cgroup) : Optional.empty();
  }

  @Override
  public List<String> children(String path) {
    return cgroup(CgroupPath.check(path)).children();
  }
}
