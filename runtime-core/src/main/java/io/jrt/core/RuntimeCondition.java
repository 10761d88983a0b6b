package io.jrt.core;

/** One condition of the daemon, as Status reports it. */
public record RuntimeCondition(String type, boolean status, String reason, String message) {}
