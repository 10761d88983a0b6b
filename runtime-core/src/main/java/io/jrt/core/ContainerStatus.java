package io.jrt.core;

import java.time.Instant;
import java.util.Optional;

/**
 * A container in full.
 *
 * @param imageRef the image's repository digest where it has one, else its id
 * @param logPath absolute, or empty
 * @param resources what is applied
 * @param user empty until it is known
 * @param stopSignal the signal a stop sends first
 */
public record ContainerStatus(
    String id,
    String podId,
    ContainerConfig config,
    ContainerState state,
    Instant createdAt,
    String imageRef,
    String imageId,
    String logPath,
    LinuxResources resources,
    Optional<LinuxUser> user,
    String stopSignal,
    String cgroupPath) {}
