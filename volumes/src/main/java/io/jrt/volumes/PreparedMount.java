package io.jrt.volumes;

import io.jrt.linux.Fd;

/**
 * A mount that is ready and attached nowhere: the launcher moves it onto its destination. Closing
 * an unused one makes it vanish; the owner closes it after the launch in any case.
 *
 * @param mount the detached mount; belongs to this record's owner
 * @param destination absolute path in the container
 * @param directory whether the target must be a directory, else a file
 * @param propagation what the container's root mount must allow for: with {@link
 *     Propagation#HOST_TO_CONTAINER} or {@link Propagation#BIDIRECTIONAL} the mount already is a
 *     slave or a peer of the source's, and the launcher must not make it private
 * @param source for people: the path, image or volume it shows
 */
public record PreparedMount(
    Fd mount, String destination, boolean directory, Propagation propagation, String source)
    implements AutoCloseable {

  @Override
  public void close() {
    mount.close();
  }
}
