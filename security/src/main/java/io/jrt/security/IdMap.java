package io.jrt.security;

/**
 * One line of a user namespace's {@code uid_map} or {@code gid_map}.
 *
 * @param containerId first id inside; unsigned 32 bits
 * @param hostId first id outside; unsigned 32 bits
 * @param length how many ids, from 1 on
 */
public record IdMap(long containerId, long hostId, long length) {

  /** The host's id of this id of the container, or -1 where the line does not cover it. */
  public long toHost(long id) {
    return id >= containerId && id - containerId < length ? hostId + (id - containerId) : -1;
  }
}
