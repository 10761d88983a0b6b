package io.jrt.core;

/** One range of a user namespace's uid or gid map, also of an idmapped mount. */
public record IdMapping(long hostId, long containerId, long length) {}
