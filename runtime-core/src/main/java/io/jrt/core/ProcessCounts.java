package io.jrt.core;

/** The processes of a container and their threads, and what they have open. */
public record ProcessCounts(long processes, long threads, long fileDescriptors, long sockets) {}
