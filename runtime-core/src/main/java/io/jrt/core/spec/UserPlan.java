package io.jrt.core.spec;

import io.jrt.core.LinuxUser;
import java.util.List;
import java.util.stream.Stream;

/**
 * Who a container's process is.
 *
 * @param home the home directory from the container's passwd file, or {@code /}
 */
public record UserPlan(LinuxUser ids, String home) {
  /** The same with more supplementary groups. */
  public UserPlan withGroups(List<Long> more) {
    List<Long> groups =
        Stream.concat(ids.supplementalGroups().stream(), more.stream()).distinct().toList();
    return new UserPlan(new LinuxUser(ids.uid(), ids.gid(), groups), home);
  }
}
