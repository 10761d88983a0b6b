package io.jrt.volumes;

/** What a project quota counts, in bytes and inodes, and its limits (0 for none). */
public record VolumeUsage(long bytes, long inodes, long byteLimit, long inodeLimit) {}
