package io.jrt.image;

import java.util.List;
import java.util.Map;

/**
 * What an image says of itself (OCI image-spec, config). Nothing of it may steer the runtime
 * unchecked: each value is a {@link ImageClaim} that is opened by a {@link ClaimCheck}.
 *
 * @param platform what the image was built for; checked when it was pulled
 * @param created RFC 3339 time, or empty
 * @param user {@code USER}: empty when the image names none
 * @param env {@code NAME=value}
 * @param entrypoint empty when the image has none
 * @param cmd empty when the image has none
 * @param workingDir empty when the image names none
 * @param labels free text of the builder
 * @param volumes paths that the image wants as volumes
 * @param exposedPorts {@code 80/tcp}; for display only
 * @param stopSignal empty when the image names none
 */
public record ImageConfig(
    Platform platform,
    ImageClaim<String> created,
    ImageClaim<String> user,
    ImageClaim<List<String>> env,
    ImageClaim<List<String>> entrypoint,
    ImageClaim<List<String>> cmd,
    ImageClaim<String> workingDir,
    ImageClaim<Map<String, String>> labels,
    ImageClaim<List<String>> volumes,
    ImageClaim<List<String>> exposedPorts,
    ImageClaim<String> stopSignal) {}
