package io.jrt.core;

import java.util.List;

/** The ids a container's first process starts with. */
public record LinuxUser(long uid, long gid, List<Long> supplementalGroups) {
  public LinuxUser {
    supplementalGroups = List.copyOf(supplementalGroups);
  }
}
