package io.jrt.core;

import java.time.Instant;
import java.util.OptionalLong;

/** Swap use in bytes. */
public record SwapStats(Instant at, OptionalLong available, long usage) {}
