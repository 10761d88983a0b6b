package io.jrt.core;

import java.time.Instant;
import java.util.Map;

/**
 * A container in a list.
 *
 * @param imageId the id of the image, as the image store has it
 */
public record ContainerSummary(
    String id,
    String podId,
    ContainerMetadata metadata,
    ImageSpec image,
    String imageRef,
    String imageId,
    ContainerState state,
    Instant createdAt,
    Map<String, String> labels,
    Map<String, String> annotations) {}
