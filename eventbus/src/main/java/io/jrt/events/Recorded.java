package io.jrt.events;

import java.time.Instant;

/**
 * An event with its place in the order of all events.
 *
 * @param sequence grows by one with each event, also across restarts of the daemon
 */
public record Recorded(long sequence, Instant at, Event event) {}
