package io.jrt.core.launch;

/**
 * The SELinux labels of a pod's init; both empty where SELinux is off.
 *
 * @param process what it runs as
 * @param root what the files of its root carry
 */
public record PodInitLabel(String process, String root) {

  /** No label. */
  public static final PodInitLabel NONE = new PodInitLabel("", "");
}
