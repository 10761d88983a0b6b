package io.jrt.core.cgroup;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;

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
  public String path(String parent, String name) {
    if (parent.endsWith(".slice")) {
      throw new JrtException(
          ErrorKind.INVALID,
          "cgroup path",
          "cgroup parent " + parent + " is a systemd slice, but the cgroup driver is cgroupfs",
          "set the same cgroup driver in the kubelet and in jrt",
          null);
    }
    String above = parent.isEmpty() ? defaultParent : parent;
    String joined = above.startsWith("/") ? above + "/" + name : "/" + above + "/" + name;
    return CgroupPath.check(joined);
  }

  @Override
  public Cgroup create(String path, Resources resources) {
    return manager.create(path, resources);
  }

  @Override
  public void remove(Cgroup cgroup) {
    cgroup.remove();
  }
}
