package io.jrt.core;

/** What a file system has in all: bytes, inodes, and inodes that are free. */
public record FilesystemSize(long bytes, long inodes, long inodesFree) {}
