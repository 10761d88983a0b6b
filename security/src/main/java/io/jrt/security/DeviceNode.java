package io.jrt.security;

import java.nio.file.Path;

/**
 * A device file that a container gets below its {@code /dev}.
 *
 * @param path where it is in the container
 * @param source the host's file; in a user namespace it is bind-mounted, as mknod is not allowed
 * @param type {@code c} or {@code b}
 * @param mode permission bits
 */
public record DeviceNode(
    String path, Path source, char type, long major, long minor, int mode, long uid, long gid) {}
