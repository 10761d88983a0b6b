package io.jrt.volumes;

/** Whether mounts made later below a volume cross between the node and the container. */
public enum Propagation {
  /** Neither way. */
  PRIVATE,
  /** The container sees what the node mounts; the source must lie on a shared or slave mount. */
  HOST_TO_CONTAINER,
  /** Both ways; the source must lie on a shared mount. */
  BIDIRECTIONAL
}
