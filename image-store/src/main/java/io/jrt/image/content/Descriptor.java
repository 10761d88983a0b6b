package io.jrt.image.content;

import io.jrt.image.Digest;
import io.jrt.image.Platform;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/**
 * What one document says of another: its type, digest and size.
 *
 * @param mediaType bare media type
 * @param digest of the bytes
 * @param size in bytes
 * @param platform only inside an index
 * @param artifactType empty when there is none
 * @param annotations free text
 * @param urls other places to fetch it from; never used, but told
 */
public record Descriptor(
    String mediaType,
    Digest digest,
    long size,
    Optional<Platform> platform,
    String artifactType,
    Map<String, String> annotations,
    List<String> urls) {

  /** A descriptor with type, digest and size only. */
  public static Descriptor of(String mediaType, Digest digest, long size) {
    return new Descriptor(mediaType, digest, size, Optional.empty(), "", Map.of(), List.of());
  }

  static Descriptor parse(String what, JsonNode node) {
    if (!node.isObject()) {
      throw Json.invalid(what, "has a descriptor that is no object", null);
    }
    long size = Json.number(what, node, "size");
    if (size < 0) {
      throw Json.invalid(what, "has a descriptor with a negative size", null);
    }
    JsonNode platform = Json.objectOrMissing(what, node, "platform");
    return new Descriptor(
        Json.text(what, node, "mediaType"),
        Digest.parse(Json.text(what, node, "digest")),
        size,
        platform.isObject()
            ? Optional.of(
                Platform.of(
                    Json.text(what, platform, "os"),
                    Json.text(what, platform, "architecture"),
                    Json.text(what, platform, "variant")))
            : Optional.empty(),
        Json.text(what, node, "artifactType"),
        Json.textMap(what, node, "annotations"),
        Json.texts(what, node, "urls"));
  }

  /** Whether this is a builder's attestation, which is never an image to run. */
  public boolean isAttestation() {
    return annotations.getOrDefault("vnd.docker.reference.type", "").equals("attestation-manifest")
        || platform.filter(p -> p.os().equals("unknown")).isPresent();
  }
}
