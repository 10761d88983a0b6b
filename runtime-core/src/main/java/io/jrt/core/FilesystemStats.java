package io.jrt.core;

import java.time.Instant;

/** What a directory tree takes of its file system. */
public record FilesystemStats(Instant at, String mountpoint, long usedBytes, long usedInodes) {}
