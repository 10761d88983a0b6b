package io.jrt.image;

import java.time.Instant;
import java.util.List;

/**
 * An image that is here and complete.
 *
 * @param id {@code sha256:} and the SHA-256 of its configuration; the same in every registry
 * @param repoTags full names with tags, such as {@code docker.io/library/busybox:latest}
 * @param repoDigests full names with the digest of the manifest or index that was resolved
 * @param size bytes of its compressed layers, configuration and manifest; above 0
 * @param pinned whether the kubelet must not collect it
 * @param config what the image says of itself
 * @param layers the uncompressed digests (diff ids) of its layers, the base first
 * @param pulledAt when it came to this node
 */
public record Image(
    String id,
    List<String> repoTags,
    List<String> repoDigests,
    long size,
    boolean pinned,
    ImageConfig config,
    List<String> layers,
    Instant pulledAt) {

  public Image {
    repoTags = List.copyOf(repoTags);
    repoDigests = List.copyOf(repoDigests);
    layers = List.copyOf(layers);
  }
}
