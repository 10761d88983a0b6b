package io.jrt.core;

import java.util.Optional;

/**
 * All that can be measured of a running container; dearer than {@link ContainerStats} alone, for it
 * takes a look at each of its processes.
 *
 * @param filesystem that of its writable layer
 */
public record ContainerMeasurements(
    ContainerStats stats, ProcessCounts processes, Optional<FilesystemSize> filesystem) {}
