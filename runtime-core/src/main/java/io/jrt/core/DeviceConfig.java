package io.jrt.core;

/**
 * A host device asked for.
 *
 * @param hostPath a device node, or a directory of them
 * @param permissions letters of {@code rwm}
 */
public record DeviceConfig(String containerPath, String hostPath, String permissions) {}
