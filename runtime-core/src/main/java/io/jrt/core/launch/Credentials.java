package io.jrt.core.launch;

import java.util.List;

/**
 * Whom a process runs as, in ids of the container's user namespace.
 *
 * @param uid 0 to 4294967294
 * @param gid 0 to 4294967294
 * @param groups exactly the supplementary groups; none when empty
 * @param umask of the process, usually 022
 */
public record Credentials(long uid, long gid, List<Long> groups, int umask) {
  /** The id that setresuid(2) reads as "leave unchanged"; no process may be asked to have it. */
  private static final long NOBODY_AT_ALL = 0xFFFF_FFFFL;

  /** Root without supplementary groups, umask 022. */
  public static final Credentials ROOT = new Credentials(0, 0, List.of(), 0022);

  public Credentials {
    check("uid", uid);
    check("gid", gid);
    groups = List.copyOf(groups);
    groups.forEach(g -> check("group", g));
    if ((umask & ~0777) != 0) {
      throw new IllegalArgumentException("umask " + Integer.toOctalString(umask));
    }
  }

  private static void check(String what, long id) {
    if (id < 0 || id >= NOBODY_AT_ALL) {
      throw new IllegalArgumentException(what + " " + id + " is not between 0 and 4294967294");
    }
  }
}
