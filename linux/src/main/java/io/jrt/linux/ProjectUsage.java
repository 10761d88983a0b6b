package io.jrt.linux;

/** What the files of a quota project take, in bytes and inodes, and the limits (0: none). */
public record ProjectUsage(long bytes, long inodes, long byteLimit, long inodeLimit) {}
