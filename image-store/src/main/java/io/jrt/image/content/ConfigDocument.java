package io.jrt.image.content;

import io.jrt.image.Digest;
import io.jrt.image.ImageClaim;
import io.jrt.image.ImageConfig;
import io.jrt.image.Platform;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;

/**
 * An image's configuration document.
 *
 * @param config what it says of the container
 * @param diffIds digests of the uncompressed layers, the base first
 */
public record ConfigDocument(ImageConfig config, List<Digest> diffIds) {

  public ConfigDocument {
    diffIds = List.copyOf(diffIds);
  }

  /**
   * Reads a configuration.
   *
   * @param what names it in errors
   */
  public static ConfigDocument parse(String what, byte[] bytes) {
    JsonNode node = Json.object(what, bytes);
    JsonNode rootfs = Json.objectOrMissing(what, node, "rootfs");
    String type = Json.text(what, rootfs, "type");
    if (!type.isEmpty() && !type.equals("layers")) {
      throw Json.invalid(what, "has a rootfs of type '" + type + "', not 'layers'", null);
    }
    var diffIds = new ArrayList<Digest>();
    for (String diffId : Json.texts(what, rootfs, "diff_ids")) {
      diffIds.add(Digest.parse(diffId));
    }
    JsonNode config = Json.objectOrMissing(what, node, "config");
    return new ConfigDocument(
        new ImageConfig(
            Platform.of(
                Json.text(what, node, "os"),
                Json.text(what, node, "architecture"),
                Json.text(what, node, "variant")),
            ImageClaim.of("the image's creation time", Json.text(what, node, "created")),
            ImageClaim.of("the image's user", Json.text(what, config, "User")),
            ImageClaim.of("the image's environment", Json.texts(what, config, "Env")),
            ImageClaim.of("the image's entrypoint", words(what, config, "Entrypoint")),
            ImageClaim.of("the image's command", words(what, config, "Cmd")),
            ImageClaim.of("the image's working directory", Json.text(what, config, "WorkingDir")),
            ImageClaim.of("the image's labels", Json.textMap(what, config, "Labels")),
            ImageClaim.of("the image's volumes", Json.keys(what, config, "Volumes")),
            ImageClaim.of("the image's ports", Json.keys(what, config, "ExposedPorts")),
            ImageClaim.of("the image's stop signal", Json.text(what, config, "StopSignal"))),
        diffIds);
  }

  /** Very old builders wrote a lone string. */
  private static List<String> words(String what, JsonNode config, String field) {
    return config.path(field).isString()
        ? List.of(config.path(field).stringValue())
        : Json.texts(what, config, field);
  }

  /**
   * The chain ids of the layers: each names a layer and all those below it.
   *
   * @see <a
   *     href="https://github.com/opencontainers/image-spec/blob/main/config.md#layer-chainid">image-spec</a>
   */
  public List<Digest> chainIds() {
    var chain = new ArrayList<Digest>(diffIds.size());
    for (Digest diffId : diffIds) {
      chain.add(
          chain.isEmpty()
              ? diffId
              : Digest.sha256(
                  (chain.getLast() + " " + diffId)
                      .getBytes(java.nio.charset.StandardCharsets.US_ASCII)));
    }
    return List.copyOf(chain);
  }
}
