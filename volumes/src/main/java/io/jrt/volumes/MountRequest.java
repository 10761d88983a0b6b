package io.jrt.volumes;

import java.util.List;

/**
 * One mount that a container asks for.
 *
 * @param destination absolute path in the container; the launcher resolves it below the root file
 *     system, never following a link out
 * @param recursiveReadOnly mounts below the source become read-only too; needs {@code readOnly} and
 *     {@link Propagation#PRIVATE}
 * @param relabel give the content the container's SELinux mount label
 * @param idMapped show the content with the ids of {@link MountContext#userNamespace()}
 * @param options {@code nosuid}, {@code nodev}, {@code noexec} and their like
 */
public record MountRequest(
    MountSource source,
    String destination,
    boolean readOnly,
    boolean recursiveReadOnly,
    Propagation propagation,
    boolean relabel,
    boolean idMapped,
    List<String> options) {

  public MountRequest {
    options = List.copyOf(options);
  }

  /** A private, writable mount without options. */
  public static MountRequest of(MountSource source, String destination) {
    return new MountRequest(
        source, destination, false, false, Propagation.PRIVATE, false, false, List.of());
  }

  /** The same mount, read-only. */
  public MountRequest asReadOnly() {
    return new MountRequest(
        source, destination, true, recursiveReadOnly, propagation, relabel, idMapped, options);
  }

  /** The same mount, with the container's SELinux label on its content. */
  public MountRequest relabelled() {
    return new MountRequest(
        source, destination, readOnly, recursiveReadOnly, propagation, true, idMapped, options);
  }
}
