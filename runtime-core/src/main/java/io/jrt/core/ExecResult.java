package io.jrt.core;

/**
 * What a finished command in a container gave.
 *
 * @param stdout the first 16 MiB of it
 * @param exitCode 128 + the signal's number when a signal ended it
 */
public record ExecResult(Bytes stdout, Bytes stderr, int exitCode) {}
