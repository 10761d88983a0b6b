package io.jrt.core.cgroup;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Errno;
import io.jrt.linux.Kernel;
import io.jrt.linux.KernelException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** The one hierarchy of v2. */
final class UnifiedManager implements CgroupManager {
  /** What containers are limited and measured by; others ({@code misc}, {@code rdma}) if there. */
  private static final List<String> WANTED =
      List.of("cpuset", "cpu", "io", "memory", "hugetlb", "pids", "rdma", "misc");

  private final Kernel kernel;
  private final CgroupDir root;
  private final List<String> hugepageSizes;
  private final DeviceFilter devices;

  UnifiedManager(Kernel kernel, Path root) {
    this.kernel = kernel;
    this.root = new CgroupDir(kernel.files(), root);
    this.hugepageSizes = HugepageSizes.of(kernel.files());
    this.devices = new DeviceFilter(kernel.bpf());
  }

  @Override
  public int version() {
    return 2;
  }

  @Override
  public Set<String> controllers() {
    return words(root, "cgroup.controllers");
  }

  private static Set<String> words(CgroupDir dir, String file) {
    String text = dir.read(file).orElse("");
    return text.isEmpty() ? Set.of() : new TreeSet<>(Arrays.asList(text.split(" ", -1)));
  }

  @Override
  public Cgroup create(String path, Resources resources) {
    String checked = CgroupPath.check(path);
    UnifiedCgroup cgroup = cgroup(checked);
    List<CgroupDir> made = new ArrayList<>();
    try {
      make(checked, made);
      if (cgroup.isPopulated()) {
        throw new JrtException(
            ErrorKind.ALREADY_EXISTS,
            "create cgroup",
            "cgroup " + checked + " exists and has processes " + cgroup.processes());
      }
      cgroup.update(resources);
      return cgroup;
    } catch (RuntimeException e) {
      removeAll(made, e);
      throw e;
    }
  }

  /** Makes what is missing, top down, each level with the controllers handed down to it. */
  void make(String path, List<CgroupDir> made) {
    CgroupDir parent = root;
    for (String name : CgroupPath.names(path)) {
      CgroupDir dir = parent.child(name);
      enableControllers(parent);
      try {
        if (dir.make()) {
          made.add(dir);
        }
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

  /** Deepest first. Others may use a parent by now: only what is unused goes. */
  static void removeAll(List<CgroupDir> made, RuntimeException failure) {
    for (CgroupDir dir : made.reversed()) {
      try {
        dir.removeIfUnused();
      } catch (RuntimeException e) {
        failure.addSuppressed(e);
      }
    }
  }

  /**
   * All at once, else one by one: one that is refused (processes in the parent, another owner) only
   * shows when a limit needs it, which then names the missing file.
   */
  private static void enableControllers(CgroupDir parent) {
    Set<String> missing = new TreeSet<>(words(parent, "cgroup.controllers"));
    missing.retainAll(WANTED);
    missing.removeAll(words(parent, "cgroup.subtree_control"));
    if (missing.isEmpty() || enabled(parent, missing)) {
      return;
    }
    for (String controller : missing) {
      enabled(parent, Set.of(controller));
    }
  }

  private static boolean enabled(CgroupDir parent, Set<String> controllers) {
    try {
      parent.write("cgroup.subtree_control", "+" + String.join(" +", controllers));
      return true;
    } catch (KernelException e) {
      if (e.is(Errno.EBUSY, Errno.EINVAL, Errno.EOPNOTSUPP, Errno.ENOENT, Errno.EACCES)) {
        return false;
      }
      throw e;
    }
  }

  UnifiedCgroup cgroup(String checked) {
    return new UnifiedCgroup(kernel, checked, root.below(checked), hugepageSizes, devices);
  }

  @Override
  public Optional<Cgroup> find(String path) {
    String checked = CgroupPath.check(path);
    return root.below(checked).exists() ? Optional.of(cgroup(checked)) : Optional.empty();
  }

  @Override
  public List<String> children(String path) {
    return root.below(CgroupPath.check(path)).children();
  }
}
