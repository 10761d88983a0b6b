package io.jrt.core;

/** Whether a pod's namespaces and network stand. */
public enum PodState {
  /** The sandbox stands: containers can be created in it. */
  READY,
  /**
   * It was stopped, or lost what it stood on (a reboot, its pid namespace's init); only removal is
   * left.
   */
  NOT_READY
}
