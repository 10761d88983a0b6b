package io.jrt.linux;

/** How mounts below a mount point travel to and from its peers. */
public enum Propagation {
  /** As it is. */
  UNCHANGED(0),
  PRIVATE(MountFlags.MS_PRIVATE),
  /** Receives from its master, sends nothing. */
  SLAVE(MountFlags.MS_SLAVE),
  SHARED(MountFlags.MS_SHARED),
  /** Private, and cannot be bind-mounted. */
  UNBINDABLE(MountFlags.MS_UNBINDABLE);

  private final long flag;

  Propagation(long flag) {
    this.flag = flag;
  }

  /** The {@code MS_*} bit. */
  public long flag() {
    return flag;
  }
}
