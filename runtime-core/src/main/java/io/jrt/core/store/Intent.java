package io.jrt.core.store;

import java.time.Instant;
import java.util.Optional;

/**
 * What is about to be made, written before the first step: after a crash, whatever of it exists and
 * has no record is removed.
 *
 * @param cgroup the cgroup that is made for it; a cgroup below the kubelet's own is found by this
 *     alone
 */
public record Intent(String id, Kind kind, Instant since, Optional<String> cgroup) {

  /** What is made. */
  public enum Kind {
    POD,
    CONTAINER
  }
}
