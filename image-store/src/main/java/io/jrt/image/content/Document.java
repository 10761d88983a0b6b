package io.jrt.image.content;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/** What a registry answers to a manifest request: an index of manifests, or a manifest. */
public sealed interface Document {

  /** The bare media type. */
  String mediaType();

  /** Free text of the document. */
  Map<String, String> annotations();

  /**
   * An index (docker: manifest list).
   *
   * @param manifests in the order of preference of the builder
   */
  record Index(String mediaType, List<Descriptor> manifests, Map<String, String> annotations)
      implements Document {
    public Index {
      manifests = List.copyOf(manifests);
    }
  }

  /**
   * A manifest.
   *
   * @param config the configuration
   * @param layers the base first
   * @param artifactType empty for a container image
   */
  record Manifest(
      String mediaType,
      Descriptor config,
      List<Descriptor> layers,
      String artifactType,
      Map<String, String> annotations)
      implements Document {
    public Manifest {
      layers = List.copyOf(layers);
    }

    /** Bytes of configuration and layers. */
    public long contentSize() {
      long size = config.size();
      for (Descriptor layer : layers) {
        size = Math.addExact(size, layer.size());
      }
      return size;
    }

    /**
     * Checks that this is an image to run.
     *
     * @throws JrtException INVALID with the reason
     */
    public void requireRunnable(String what) {
      if (!MediaTypes.isImageConfig(config.mediaType())) {
        String kind = artifactType.isEmpty() ? config.mediaType() : artifactType;
        throw new JrtException(
            ErrorKind.INVALID,
            "read image",
            what + " is an artifact of type " + kind + ", not a container image",
            "only images with a container configuration can be run",
            null);
      }
      for (Descriptor layer : layers) {
        if (layer.mediaType().endsWith("+encrypted")) {
          throw new JrtException(
              ErrorKind.UNIMPLEMENTED, "read image", what + " has encrypted layers");
        }
        if (!MediaTypes.isLayer(layer.mediaType())) {
          throw new JrtException(
              ErrorKind.INVALID,
              "read image",
              what + " has a layer of type " + layer.mediaType() + ", which is no filesystem");
        }
      }
    }
  }

  /** The most entries of an index and layers of a manifest. */
  int MAX_ENTRIES = 4096;

  /**
   * Reads a document.
   *
   * @param what names it in errors
   * @param contentType what the transport or the descriptor says it is; empty when nothing said it
   * @throws JrtException INVALID, also when the document and its content type tell two stories
   */
  static Document parse(String what, String contentType, byte[] bytes) {
    String outer = MediaTypes.bare(contentType);
    if (MediaTypes.isSchema1(outer)) {
      throw Json.invalid(
          what, "has docker's schema 1, which is obsolete; it has to be pushed again", null);
    }
    JsonNode node = Json.object(what, bytes);
    String inner = Json.text(what, node, "mediaType");
    boolean looksLikeIndex = node.has("manifests");
    boolean looksLikeManifest = node.has("config") || node.has("layers");
    if (node.has("fsLayers")) {
      throw Json.invalid(
          what, "has docker's schema 1, which is obsolete; it has to be pushed again", null);
    }
    if (looksLikeIndex && looksLikeManifest) {
      throw Json.invalid(what, "is index and manifest at once", null);
    }
    if (Json.number(what, node, "schemaVersion") != 2) {
      throw Json.invalid(what, "has a schema version other than 2", null);
    }
    boolean known = MediaTypes.isIndex(outer) || MediaTypes.isManifest(outer);
    if (known && !inner.isEmpty() && !inner.equals(outer)) {
      throw Json.invalid(what, "says it is " + inner + " but was served as " + outer, null);
    }
    String type = inner.isEmpty() ? (known ? outer : "") : inner;
    if (type.isEmpty()) {
      type = looksLikeIndex ? MediaTypes.OCI_INDEX : MediaTypes.OCI_MANIFEST;
    }
    Map<String, String> annotations = Json.textMap(what, node, "annotations");
    if (MediaTypes.isIndex(type)) {
      if (!looksLikeIndex) {
        throw Json.invalid(what, "is an index without manifests", null);
      }
      return new Index(type, descriptors(what, node, "manifests"), annotations);
    }
    if (!MediaTypes.isManifest(type)) {
      throw Json.invalid(what, "is of type " + type + ", neither image nor index", null);
    }
    if (!node.has("config") || !node.has("layers")) {
      throw Json.invalid(what, "is a manifest without config or layers", null);
    }
    return new Manifest(
        type,
        Descriptor.parse(what, node.path("config")),
        descriptors(what, node, "layers"),
        Json.text(what, node, "artifactType"),
        annotations);
  }

  private static List<Descriptor> descriptors(String what, JsonNode node, String field) {
    JsonNode items = node.path(field);
    if (!items.isArray()) {
      throw Json.invalid(what, "has '" + field + "' that is no array", null);
    }
    if (items.size() > MAX_ENTRIES) {
      throw Json.invalid(what, "has more than " + MAX_ENTRIES + " " + field, null);
    }
    var descriptors = new ArrayList<Descriptor>(items.size());
    for (JsonNode item : items) {
      // Indexes may list things of digests that only others can read: skipped, like any type.
      if (field.equals("manifests")) {
        String digest = Json.text(what, item, "digest");
        if (!digest.startsWith("sha256:") && !digest.startsWith("sha512:")) {
          continue;
        }
      }
      descriptors.add(Descriptor.parse(what, item));
    }
    return descriptors;
  }
}
