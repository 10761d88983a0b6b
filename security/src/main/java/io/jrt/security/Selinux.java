package io.jrt.security;

/** SELinux labels for containers; where the kernel has none, every label is empty. */
public interface Selinux {

  boolean enabled();

  /**
   * Labels for a new pod or container. Without a level of its own it gets a pair of categories that
   * no other has, to be given back by {@link #release}.
   */
  SelinuxLabels allocate(SelinuxOptions options);

  /**
   * What a privileged container runs as: the type that the policy has for such, with this process's
   * own level. Empty where the policy has none and leaves it to its transitions.
   */
  String privileged();

  /**
   * What the content of images carries below the roots of containers, whose programs the kernel
   * maps from there: readable by every container and writable by none. Empty where the policy has
   * no such type.
   */
  String images();

  /** What named volumes carry until a container asks for them to be its own: every container's. */
  String volumes();

  /** Marks the level of a label as taken, when a container is found after a restart. */
  void reserve(String label);

  /** Gives the level of a process label back. */
  void release(String label);
}
