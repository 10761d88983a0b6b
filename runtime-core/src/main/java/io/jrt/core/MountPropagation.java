package io.jrt.core;

/** Whether mounts made later on one side show up on the other. */
public enum MountPropagation {
  PRIVATE,
  HOST_TO_CONTAINER,
  BIDIRECTIONAL
}
