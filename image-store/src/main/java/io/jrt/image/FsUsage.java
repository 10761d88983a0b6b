package io.jrt.image;

import java.nio.file.Path;
import java.time.Instant;

/**
 * What a part of the store takes of the disk.
 *
 * @param path where it lies
 * @param bytes allocated on the disk
 * @param inodes files, directories and other nodes
 * @param at when this was true
 */
public record FsUsage(Path path, long bytes, long inodes, Instant at) {}
