package io.jrt.security;

/** SELinux labels for containers; where the kernel has none, every label is empty. */
public interface Selinux {

  boolean enabled();

  /**
   * Labels for a new pod or container. Without a level of its own it gets a pair of categories that
   * no other has, to be given back by {@link #release}.
   */
  SelinuxLabels allocate(SelinuxOptions options);

  /** Marks the level of a label as taken, when a container is found after a restart. */
  void reserve(String label);

  /** Gives the level of a process label back. */
  void release(String label);
}
