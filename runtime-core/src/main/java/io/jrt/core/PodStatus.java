package io.jrt.core;

import java.time.Instant;
import java.util.List;

/**
 * A pod in full.
 *
 * @param ips the pod's addresses, the primary first; none with host network or when stopped
 * @param containers the state of its containers at {@code timestamp}
 * @param netnsPath where its network namespace is pinned; empty with host network
 */
public record PodStatus(
    String id,
    PodConfig config,
    PodState state,
    Instant createdAt,
    List<String> ips,
    String runtimeHandler,
    String netnsPath,
    String cgroupPath,
    List<ContainerStatus> containers,
    Instant timestamp) {}
