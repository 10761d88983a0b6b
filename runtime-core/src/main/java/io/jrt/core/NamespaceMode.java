package io.jrt.core;

/** Whose namespace a container uses. */
public enum NamespaceMode {
  /** Shared by the pod's containers. */
  POD,
  /** The container's own. */
  CONTAINER,
  /** The node's. */
  NODE,
  /** That of another container, named by its id. */
  TARGET
}
