package io.jrt.network;

/**
 * What an interface has counted since it was made.
 *
 * @param name the interface's name in its namespace
 */
public record InterfaceStats(
    String name,
    long rxBytes,
    long rxPackets,
    long rxErrors,
    long rxDropped,
    long txBytes,
    long txPackets,
    long txErrors,
    long txDropped) {}
