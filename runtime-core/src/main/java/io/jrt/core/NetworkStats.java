package io.jrt.core;

import java.time.Instant;

/** Counters of one interface in a pod's network namespace. */
public record NetworkStats(
    Instant at, String name, long rxBytes, long rxErrors, long txBytes, long txErrors) {}
