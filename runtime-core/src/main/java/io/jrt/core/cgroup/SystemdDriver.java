package io.jrt.core.cgroup;

import io.jrt.core.store.Ids;
import io.jrt.core.systemd.ServiceManager;
import io.jrt.core.systemd.UnitProperty;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Kernel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Cgroups as units of systemd, for nodes whose kubelet does the same: a slice for a pod, a
 * transient scope with delegation for a container. Only where v2 is alone.
 *
 * <p>In a scope lie two cgroups. {@code container} has the container's processes, limits and device
 * rules; systemd leaves what is below a delegated unit alone, also when it is reloaded. {@code
 * keeper} has the container's keeper, which lives until the exit is stored: so systemd does not
 * take the scope away, with its count of OOM kills, before that.
 */
public final class SystemdDriver implements CgroupDriver {
  private static final String SCOPE = ".scope";
  private static final String SCOPE_PREFIX = "jrt-";
  private static final String CONTAINER = "container";
  private static final String KEEPER = "keeper";

  private final Kernel kernel;
  private final Path jrtInit;
  private final CgroupManager manager;
  private final CgroupfsDriver plain;
  private final ServiceManager systemd;
  private final String ownSlice;
  private final Map<String, ScopeAnchor> anchors = new ConcurrentHashMap<>();

  /**
   * @param ownName names the slice below which pods without a parent go, as {@code jrt}
   * @throws JrtException FAILED_PRECONDITION on cgroup v1
   */
  public SystemdDriver(
      Kernel kernel, Path jrtInit, CgroupManager manager, ServiceManager systemd, String ownName) {
    if (manager.version() != 2) {
      throw new JrtException(
          ErrorKind.FAILED_PRECONDITION,
          "choose cgroup driver",
          "the cgroup driver systemd needs cgroup v2, and this machine has v1",
          "set containers.cgroup-driver = \"cgroupfs\"",
          null);
    }
    this.kernel = kernel;
    this.jrtInit = jrtInit;
    this.manager = manager;
    this.systemd = systemd;
    this.ownSlice = ownName;
    this.plain = new CgroupfsDriver(manager, "/" + ownName);
  }

  @Override
  public String name() {
    return "systemd";
  }

  @Override
  public String ownParent() {
    return Slices.expand(ownSlice + Slices.SUFFIX);
  }

  @Override
  public Optional<String> podIdOf(String child) {
    String prefix = ownSlice + "-";
    if (!child.startsWith(prefix) || !Slices.isSlice(child)) {
      return Optional.empty();
    }
    String id = child.substring(prefix.length(), child.length() - Slices.SUFFIX.length());
    return Ids.isId(id) ? Optional.of(id) : Optional.empty();
  }

  /** Another daemon's slice may lie below this one's: only an empty one goes. */
  @Override
  public void removeOwnParent() {
    if (manager.find(ownParent()).isPresent() && manager.children(ownParent()).isEmpty()) {
      systemd.stop(Slices.last(ownParent()));
    }
    plain.removeOwnParent();
  }

  @Override
  public String podPath(String parent, String podId) {
    if (parent.isEmpty()) {
      return Slices.expand(ownSlice + "-" + podId + Slices.SUFFIX);
    }
    return Slices.isSlice(parent) ? Slices.expand(Slices.last(parent)) : parent;
  }

  /** A parent that is no slice is another's plain cgroup, such as a pod's from before a change. */
  @Override
  public String path(String parent, String name) {
    return Slices.isSlice(parent)
        ? podPath(parent, name) + "/" + SCOPE_PREFIX + name + SCOPE + "/" + CONTAINER
        : plain.path(parent, name);
  }

  @Override
  public Cgroup create(String path, Resources resources) {
    if (Slices.isSlice(path)) {
      systemd.startSlice(Slices.last(path), sliceProperties(resources));
      return manager.create(path, resources);
    }
    return isScope(path) ? createScope(path, resources) : plain.create(path, resources);
  }

  private static List<UnitProperty> sliceProperties(Resources resources) {
    List<UnitProperty> properties = new ArrayList<>(UnitLimits.of(resources));
    properties.add(UnitProperty.of("Description", "a pod of jrt"));
    return properties;
  }

  private Cgroup createScope(String path, Resources resources) {
    String unit = scope(path);
    if (manager.find(path).map(Cgroup::isPopulated).orElse(false)) {
      return manager.create(path, resources); // which refuses, in its words
    }
    drop(path);
    systemd.stop(unit); // what a crash has left
    ScopeAnchor anchor = ScopeAnchor.drop(kernel, jrtInit);
    try {
      List<UnitProperty> properties = new ArrayList<>(UnitLimits.of(resources));
      properties.add(UnitProperty.of("Description", "a container of jrt"));
      properties.add(UnitProperty.of("Slice", Slices.last(slicePath(path))));
      properties.add(UnitProperty.of("Delegate", true));
      properties.add(UnitProperty.of("DefaultDependencies", false));
      properties.add(UnitProperty.of("CollectMode", "inactive-or-failed"));
      if (resources.pids() == 0) {
        properties.add(UnitProperty.of("TasksMax", UnitProperty.INFINITY));
      }
      systemd.startScope(unit, anchor.pid(), properties);
      Cgroup scope =
          manager
              .find(scopePath(path))
              .orElseThrow(
                  () ->
                      new JrtException(
                          ErrorKind.FAILED_PRECONDITION,
                          "create cgroup",
                          "systemd made %s, but not at %s".formatted(unit, scopePath(path))));
      // Out of the way: a cgroup that hands controllers down has no processes.
      scope.child(KEEPER).admit(anchor.pid());
      Cgroup cgroup = manager.create(path, resources);
      anchors.put(path, anchor);
      return cgroup;
    } catch (RuntimeException e) {
      try {
        anchor.close();
        systemd.stop(unit);
      } catch (RuntimeException further) {
        e.addSuppressed(further);
      }
      throw e;
    }
  }

  @Override
  public void settle(String path, int keeper) {
    if (isScope(path)) {
      manager.find(scopePath(path)).ifPresent(scope -> scope.child(KEEPER).admit(keeper));
      drop(path);
    }
  }

  /** Lets the process go that stood in for the keeper. */
  private void drop(String path) {
    ScopeAnchor anchor = anchors.remove(path);
    if (anchor != null) {
      anchor.close();
    }
  }

  @Override
  public void update(Cgroup cgroup, Resources resources) {
    cgroup.update(resources);
    List<UnitProperty> properties = UnitLimits.of(resources);
    if (!properties.isEmpty() && (isScope(cgroup.path()) || isOwnSlice(cgroup.path()))) {
      systemd.setProperties(
          isScope(cgroup.path()) ? scope(cgroup.path()) : Slices.last(cgroup.path()), properties);
    }
  }

  @Override
  public void remove(Cgroup cgroup) {
    String path = cgroup.path();
    if (isScope(path)) {
      cgroup.remove();
      drop(path);
      // With its keeper in it, it goes when that does; stopped, it would take the keeper with it.
      if (!manager.find(scopePath(path)).map(Cgroup::isPopulated).orElse(false)) {
        systemd.stop(scope(path));
      }
    } else if (Slices.isSlice(path)) {
      systemd.stop(Slices.last(path));
      manager.find(path).ifPresent(Cgroup::remove);
    } else {
      plain.remove(cgroup);
    }
  }

  private boolean isOwnSlice(String path) {
    return Slices.isSlice(path) && podIdOf(Slices.last(path)).isPresent();
  }

  private static boolean isScope(String path) {
    return path.endsWith(SCOPE + "/" + CONTAINER);
  }

  private static String scopePath(String path) {
    return path.substring(0, path.lastIndexOf('/'));
  }

  private static String slicePath(String path) {
    return scopePath(scopePath(path));
  }

  private static String scope(String path) {
    return Slices.last(scopePath(path));
  }
}
