package io.jrt.core.store;

import java.time.Instant;

/**
 * That a container's program was started, kept as long as the boot.
 *
 * @param oomKills what the cgroup's counter of processes killed for want of memory said before
 */
public record StartRecord(Instant startedAt, int pid, long oomKills) {}
