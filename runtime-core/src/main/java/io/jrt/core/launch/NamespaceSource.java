package io.jrt.core.launch;

import io.jrt.linux.Fd;

/** Where a container's namespace of one kind comes from. */
public sealed interface NamespaceSource {
  NamespaceSource NEW = new New();
  NamespaceSource HOST = new Host();

  /** A new one that lives and dies with the container. */
  record New() implements NamespaceSource {}

  /** The daemon's own. */
  record Host() implements NamespaceSource {}

  /**
   * An existing one.
   *
   * @param namespace an open file of nsfs; stays the caller's
   */
  record Join(Fd namespace) implements NamespaceSource {}
}
