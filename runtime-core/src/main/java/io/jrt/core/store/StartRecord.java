package io.jrt.core.store;

import io.jrt.security.DeviceRule;
import java.time.Instant;
import java.util.List;
import java.util.Objects;

/**
 * That a container's program was started, kept as long as the boot.
 *
 * @param oomKills what the cgroup's counter of processes killed for want of memory said before
 * @param devices device rules beyond those that every container has
 */
public record StartRecord(
    Instant startedAt, int pid, long oomKills, @Added List<DeviceRule> devices) {
  public StartRecord {
    // Records of earlier daemons have none.
    devices = List.copyOf(Objects.requireNonNullElse(devices, List.of()));
  }
}
