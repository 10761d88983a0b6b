package io.jrt.core;

import java.time.Instant;
import java.util.OptionalLong;

/**
 * What a directory tree takes of its file system.
 *
 * @param limitBytes the most it may take, where a quota says so
 */
public record FilesystemStats(
    Instant at, String mountpoint, long usedBytes, long usedInodes, OptionalLong limitBytes) {}
