package io.jrt.core.spec;

import io.jrt.core.LinuxUser;

/**
 * Who a container's process is.
 *
 * @param home the home directory from the container's passwd file, or {@code /}
 */
public record UserPlan(LinuxUser ids, String home) {}
