package io.jrt.security;

import java.util.List;

/**
 * The id maps of a user namespace, checked: not empty, without overlaps, within what the kernel
 * takes, and with the container's root mapped.
 */
public record UserNamespaceMaps(List<IdMap> uids, List<IdMap> gids) {

  /** The kernel's limit of lines in a map. */
  public static final int MAX_LINES = 340;

  public UserNamespaceMaps {
    uids = IdMapCheck.checked("uid", uids);
    gids = IdMapCheck.checked("gid", gids);
  }

  /** The content to be written to {@code /proc/PID/uid_map}. */
  public String uidMap() {
    return IdMapCheck.text(uids);
  }

  /** The content to be written to {@code /proc/PID/gid_map}. */
  public String gidMap() {
    return IdMapCheck.text(gids);
  }

  /** The host's uid for the container's, or -1 where it has none. */
  public long hostUid(long uid) {
    return IdMapCheck.toHost(uids, uid);
  }

  /** The host's gid for the container's, or -1 where it has none. */
  public long hostGid(long gid) {
    return IdMapCheck.toHost(gids, gid);
  }
}
