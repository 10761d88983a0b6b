package io.jrt.core;

import java.time.Instant;
import java.util.Optional;

/**
 * A mutating request under way.
 *
 * @param key the object it changes, such as {@code container/0123...}
 * @param step what it is doing now
 * @param joined how many later requests wait for the same result
 */
public record OperationInfo(
    String key,
    String name,
    String step,
    Instant since,
    Instant stepSince,
    Optional<Instant> deadline,
    String thread,
    int joined) {}
