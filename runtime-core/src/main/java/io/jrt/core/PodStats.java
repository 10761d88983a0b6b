package io.jrt.core;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What a pod uses now.
 *
 * @param interfaces the default interface first
 */
public record PodStats(
    String id,
    PodMetadata metadata,
    Map<String, String> labels,
    Map<String, String> annotations,
    Optional<CpuStats> cpu,
    Optional<MemoryStats> memory,
    Optional<IoStats> io,
    List<NetworkStats> interfaces,
    OptionalLong processes,
    Optional<Measurement> more,
    List<ContainerStats> containers) {}
