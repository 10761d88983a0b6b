package io.jrt.core;

import java.time.Instant;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Processor use.
 *
 * @param usageNanoCores the rate since the sample before, if there was one
 */
public record CpuStats(
    Instant at, long usageCoreNanos, OptionalLong usageNanoCores, Optional<Psi> psi) {}
