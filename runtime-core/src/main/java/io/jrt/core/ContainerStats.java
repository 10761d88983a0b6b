package io.jrt.core;

import java.util.Map;
import java.util.Optional;

/**
 * What a container uses now.
 *
 * @param more absent when it does not run
 */
public record ContainerStats(
    String id,
    String podId,
    ContainerMetadata metadata,
    Map<String, String> labels,
    Map<String, String> annotations,
    Optional<CpuStats> cpu,
    Optional<MemoryStats> memory,
    Optional<SwapStats> swap,
    Optional<IoStats> io,
    Optional<FilesystemStats> writableLayer,
    Optional<Measurement> more) {}
