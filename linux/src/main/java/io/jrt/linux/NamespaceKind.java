package io.jrt.linux;

/** The namespaces of a process. */
public enum NamespaceKind {
  NET("net", 0x40000000),
  IPC("ipc", 0x08000000),
  UTS("uts", 0x04000000),
  USER("user", 0x10000000),
  PID("pid", 0x20000000),
  MOUNT("mnt", 0x00020000),
  CGROUP("cgroup", 0x02000000),
  TIME("time", 0x00000080);

  private final String procName;
  private final int cloneFlag;

  NamespaceKind(String procName, int cloneFlag) {
    this.procName = procName;
    this.cloneFlag = cloneFlag;
  }

  /** Its name below {@code /proc/PID/ns}. */
  public String procName() {
    return procName;
  }

  /** The {@code CLONE_NEW*} bit. */
  public int cloneFlag() {
    return cloneFlag;
  }
}
