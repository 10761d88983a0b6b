package io.jrt.security;

/**
 * A device of the host that a container asks for (CRI's Device).
 *
 * @param hostPath a device file, a symlink to one, or a directory of them
 * @param containerPath where it goes; empty means the same path
 * @param permissions any of {@code r}, {@code w}, {@code m}; empty means all three
 */
public record DeviceRequest(String hostPath, String containerPath, String permissions) {}
