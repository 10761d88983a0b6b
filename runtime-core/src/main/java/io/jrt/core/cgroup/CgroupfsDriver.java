package io.jrt.core.cgroup;

import io.jrt.core.store.Ids;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.util.Optional;

/** Cgroups as plain directories made by the daemon. */
public final class CgroupfsDriver implements CgroupDriver {
  private final CgroupManager manager;
  private final String defaultParent;

  /**
   * @param defaultParent path below which pods without a parent go, as {@code /jrt}
   */
  public CgroupfsDriver(CgroupManager manager, String defaultParent) {
    this.manager = manager;
    this.defaultParent = defaultParent;
  }

  @Override
  public String name() {
    return "cgroupfs";
  }

  @Override
  public String ownParent() {
    return defaultParent;
  }

  @Override
  public Optional<String> podIdOf(String child) {
    return Ids.isId(child) ? Optional.of(child) : Optional.empty();
  }

  @Override
  public void removeOwnParent() {
    manager
        .find(defaultParent)
        .ifPresent(
            cgroup -> {
              cgroup.killAll(KILL_PATIENCE);
              cgroup.remove();
            });
  }

  @Override
  public String podPath(String parent, String podId) {
    return parent.isEmpty() ? path(defaultParent, podId) : parent;
  }

  @Override
  public String path(String parent, String name) {
    if (parent.endsWith(".slice")) {
      throw new JrtException(
          ErrorKind.INVALID,
          "cgroup path",
          "cgroup parent " + parent + " is a systemd slice, but the cgroup driver is cgroupfs",
          "set the same cgroup driver in the kubelet and in jrt",
          null);
    }
    String joined = parent.startsWith("/") ? parent + "/" + name : "/" + parent + "/" + name;
    return CgroupPath.check(joined);
  }

  @Override
  public Cgroup create(String path, Resources resources) {
    return manager.create(path, resources);
  }

  @Override
  public void settle(String path, int keeper) {
    // A directory needs nobody in it to stay.
  }

  @Override
  public void update(Cgroup cgroup, Resources resources) {
    cgroup.update(resources);
  }

  @Override
  public void remove(Cgroup cgroup) {
    cgroup.remove();
  }
}
