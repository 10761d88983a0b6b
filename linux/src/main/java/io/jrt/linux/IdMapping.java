package io.jrt.linux;

/**
 * A range of a user namespace's id map.
 *
 * @param inside first id in the namespace
 * @param outside the id it is outside
 * @param length how many
 */
public record IdMapping(long inside, long outside, long length) {}
