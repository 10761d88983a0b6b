package io.jrt.core;

import java.time.Instant;
import java.util.Map;

/** A pod in a list. */
public record PodSummary(
    String id,
    PodMetadata metadata,
    PodState state,
    Instant createdAt,
    Map<String, String> labels,
    Map<String, String> annotations,
    String runtimeHandler) {}
