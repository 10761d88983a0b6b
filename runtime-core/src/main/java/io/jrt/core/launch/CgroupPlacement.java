package io.jrt.core.launch;

import io.jrt.linux.Fd;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The cgroups a process is born in. The descriptors stay the caller's.
 *
 * @param unified the open directory of a v2 cgroup, or null where v2 has no part in it
 * @param v1Tasks {@code tasks} files of v1 hierarchies, open for writing; a process of one thread
 *     that moves itself by them waits for no RCU grace period, as it would by {@code cgroup.procs}
 */
public record CgroupPlacement(@Nullable Fd unified, List<Fd> v1Tasks) {
  /** The daemon's own cgroups. */
  public static final CgroupPlacement NONE = new CgroupPlacement(null, List.of());

  public CgroupPlacement {
    v1Tasks = List.copyOf(v1Tasks);
  }
}
