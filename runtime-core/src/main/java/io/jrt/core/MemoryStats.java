package io.jrt.core;

import java.time.Instant;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Memory use in bytes; the working set is usage less inactive file pages, as Kubernetes defines it.
 *
 * @param available the limit less the working set, if there is a limit
 */
public record MemoryStats(
    Instant at,
    long workingSet,
    OptionalLong available,
    long usage,
    long rss,
    long pageFaults,
    long majorPageFaults,
    Optional<Psi> psi) {}
