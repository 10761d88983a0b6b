package io.jrt.core;

import java.util.Optional;
import java.util.OptionalLong;

/**
 * All that can be measured of a running container; dearer than {@link ContainerStats} alone, for it
 * takes a look at each of its processes.
 *
 * @param openFilesLimit how many files its main process may have open (the soft limit)
 * @param filesystem that of its writable layer
 */
public record ContainerMeasurements(
    ContainerStats stats,
    ProcessCounts processes,
    OptionalLong openFilesLimit,
    Optional<FilesystemSize> filesystem) {}
