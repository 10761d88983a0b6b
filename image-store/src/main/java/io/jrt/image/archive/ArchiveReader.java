package io.jrt.image.archive;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.image.Digest;
import io.jrt.image.Platform;
import io.jrt.image.Reference;
import io.jrt.image.content.ConfigDocument;
import io.jrt.image.content.Descriptor;
import io.jrt.image.content.Document;
import io.jrt.image.content.Json;
import io.jrt.image.content.MediaTypes;
import io.jrt.image.content.PlatformMatch;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/** Finds the images of an archive: of an OCI layout, else of what {@code docker save} writes. */
public final class ArchiveReader {
  private static final String REF_NAME = "org.opencontainers.image.ref.name";
  private static final String CONTAINERD_NAME = "io.containerd.image.name";
  private static final int MAX_DEPTH = 4;

  private final ArchiveFiles files;
  private final Platform platform;

  /**
   * @param platform which of multi-platform images
   */
  public ArchiveReader(ArchiveFiles files, Platform platform) {
    this.files = files;
    this.platform = platform;
  }

  /**
   * The images, in the order of the archive.
   *
   * @throws JrtException INVALID when it is neither kind of archive, or has no image that fits
   */
  public List<ArchiveImage> images() throws IOException {
    Optional<byte[]> docker = files.read("manifest.json", Json.MAX_DOCUMENT);
    if (files.size("oci-layout").isPresent()) {
      Map<Digest, List<String>> dockerTags =
          docker.isPresent() ? tagsByConfig(docker.get()) : Map.of();
      return layoutImages(dockerTags);
    }
    if (docker.isPresent()) {
      return dockerImages(docker.get());
    }
    throw new JrtException(
        ErrorKind.INVALID,
        "import image",
        "the archive has neither oci-layout nor manifest.json",
        "import what 'docker save', 'skopeo copy oci-archive:' or 'ctr image export' wrote",
        null);
  }

  private List<ArchiveImage> layoutImages(Map<Digest, List<String>> dockerTags) throws IOException {
    byte[] bytes =
        files
            .read("index.json", Json.MAX_DOCUMENT)
            .orElseThrow(() -> invalid("the OCI layout has no index.json", null));
    Document document = Document.parse("index.json", MediaTypes.OCI_INDEX, bytes);
    if (!(document instanceof Document.Index index)) {
      throw invalid("index.json is no index", null);
    }
    // One image may be listed once for each of its names.
    var byTarget = new HashMap<Digest, ArchiveImage>();
    var order = new LinkedHashSet<Digest>();
    for (Descriptor entry : index.manifests()) {
      if (entry.isAttestation()
          || entry.platform().filter(p -> !PlatformMatch.runs(p, platform)).isPresent()) {
        continue;
      }
      var documents = new HashMap<Digest, byte[]>();
      Optional<Descriptor> manifest = choose(entry, documents, 0);
      if (manifest.isEmpty()) {
        continue;
      }
      Document.Manifest content = manifest(manifest.get(), documents);
      if (!MediaTypes.isImageConfig(content.config().mediaType())) {
        continue;
      }
      var names = new ArrayList<String>(names(entry));
      names.addAll(dockerTags.getOrDefault(content.config().digest(), List.of()));
      ArchiveImage before = byTarget.get(entry.digest());
      if (before != null) {
        names.addAll(before.tags());
      }
      order.add(entry.digest());
      byTarget.put(
          entry.digest(), image(names, entry.digest(), manifest.get(), content, documents));
    }
    if (order.isEmpty()) {
      throw invalid("the archive has no image for " + platform, null);
    }
    return order.stream().map(byTarget::get).toList();
  }

  private static ArchiveImage image(
      List<String> references,
      Digest target,
      Descriptor manifest,
      Document.Manifest content,
      Map<Digest, byte[]> documents) {
    var tags = new LinkedHashSet<String>();
    var names = new LinkedHashSet<String>();
    for (String text : references) {
      Reference reference = Reference.parse(text);
      reference.tagged().ifPresent(tags::add);
      names.add(reference.name());
    }
    var files = new HashMap<Digest, String>();
    files.put(content.config().digest(), blob(content.config().digest()));
    content.layers().forEach(layer -> files.put(layer.digest(), blob(layer.digest())));
    String what = tags.isEmpty() ? target.toString() : tags.getFirst();
    return new ArchiveImage(
        what, List.copyOf(tags), List.copyOf(names), target, manifest, content, documents, files);
  }

  private static List<String> names(Descriptor entry) {
    String full = entry.annotations().getOrDefault(CONTAINERD_NAME, "");
    if (!full.isEmpty()) {
      return List.of(full);
    }
    // By the spec a bare tag; many writers put the whole name there.
    String name = entry.annotations().getOrDefault(REF_NAME, "");
    return name.contains("/") || name.contains(":") ? List.of(name) : List.of();
  }

  private Optional<Descriptor> choose(Descriptor entry, Map<Digest, byte[]> documents, int depth)
      throws IOException {
    if (!MediaTypes.isIndex(entry.mediaType())) {
      return Optional.of(entry);
    }
    if (depth >= MAX_DEPTH) {
      throw invalid("the archive has indexes more than " + MAX_DEPTH + " deep", null);
    }
    byte[] bytes = document(entry);
    documents.put(entry.digest(), bytes);
    Document document = Document.parse("an index of the archive", entry.mediaType(), bytes);
    Optional<Descriptor> best =
        document instanceof Document.Index index
            ? PlatformMatch.best(index.manifests(), platform)
            : Optional.empty();
    return best.isEmpty() || files.size(blob(best.get().digest())).isEmpty()
        ? Optional.empty()
        : choose(best.get(), documents, depth + 1);
  }

  private Document.Manifest manifest(Descriptor descriptor, Map<Digest, byte[]> documents)
      throws IOException {
    byte[] bytes = document(descriptor);
    documents.put(descriptor.digest(), bytes);
    Document document = Document.parse("a manifest of the archive", descriptor.mediaType(), bytes);
    if (document instanceof Document.Manifest manifest) {
      return manifest;
    }
    throw invalid("the archive lists an index as a manifest", null);
  }

  private byte[] document(Descriptor descriptor) throws IOException {
    String name = blob(descriptor.digest());
    byte[] bytes =
        files
            .read(name, Json.MAX_DOCUMENT)
            .orElseThrow(() -> invalid("the archive lacks '" + name + "'", null));
    if (bytes.length != descriptor.size()
        || !descriptor.digest().of(bytes).equals(descriptor.digest())) {
      throw new JrtException(
          ErrorKind.DATA_LOSS, "import image", "'" + name + "' in the archive is damaged");
    }
    return bytes;
  }

  private static String blob(Digest digest) {
    return "blobs/" + digest.algorithm() + "/" + digest.hex();
  }

  private Map<Digest, List<String>> tagsByConfig(byte[] manifestJson) throws IOException {
    var tags = new HashMap<Digest, List<String>>();
    for (JsonNode entry : Json.array("manifest.json", manifestJson)) {
      String config = Json.text("manifest.json", entry, "Config");
      Optional<byte[]> bytes = files.read(config, Json.MAX_DOCUMENT);
      if (bytes.isPresent()) {
        tags.put(Digest.sha256(bytes.get()), Json.texts("manifest.json", entry, "RepoTags"));
      }
    }
    return tags;
  }

  private List<ArchiveImage> dockerImages(byte[] manifestJson) throws IOException {
    var images = new ArrayList<ArchiveImage>();
    for (JsonNode entry : Json.array("manifest.json", manifestJson)) {
      images.add(dockerImage(entry));
    }
    if (images.isEmpty()) {
      throw invalid("the archive has no image", null);
    }
    return images;
  }

  /** docker's archives have no manifest: one is made that says what the archive holds. */
  private ArchiveImage dockerImage(JsonNode entry) throws IOException {
    String what = "manifest.json";
    String configName = Json.text(what, entry, "Config");
    byte[] config =
        files
            .read(configName, Json.MAX_DOCUMENT)
            .orElseThrow(() -> invalid("the archive lacks its configuration", null));
    Digest id = Digest.sha256(config);
    List<String> names = Json.texts(what, entry, "Layers");
    ConfigDocument parsed = ConfigDocument.parse("the configuration", config);
    if (parsed.diffIds().size() != names.size()) {
      throw invalid("the archive has other layers than its configuration", null);
    }
    var byDigest = new HashMap<Digest, String>();
    byDigest.put(id, configName);
    var layers = new ArrayList<Descriptor>();
    for (String name : names) {
      Digest digest = digestOf(name);
      byDigest.put(digest, name);
      layers.add(Descriptor.of(MediaTypes.OCI_LAYER, digest, files.size(name).orElse(0L)));
    }
    Descriptor configDescriptor = Descriptor.of(MediaTypes.OCI_CONFIG, id, config.length);
    byte[] manifest = manifestOf(configDescriptor, layers);
    Descriptor descriptor =
        Descriptor.of(MediaTypes.OCI_MANIFEST, Digest.sha256(manifest), manifest.length);
    var tags = new LinkedHashSet<String>();
    for (String text : Json.texts(what, entry, "RepoTags")) {
      Reference.parse(text).tagged().ifPresent(tags::add);
    }
    return new ArchiveImage(
        tags.isEmpty() ? id.toString() : tags.getFirst(),
        List.copyOf(tags),
        List.of(),
        descriptor.digest(),
        descriptor,
        new Document.Manifest(MediaTypes.OCI_MANIFEST, configDescriptor, layers, "", Map.of()),
        Map.of(descriptor.digest(), manifest),
        byDigest);
  }

  private Digest digestOf(String name) throws IOException {
    InputStream stream =
        files
            .open(name)
            .orElseThrow(() -> invalid("the archive lacks the layer '" + name + "'", null));
    MessageDigest hash = Digest.newHash("sha256");
    byte[] buffer = new byte[256 << 10];
    try (stream) {
      int count;
      while ((count = stream.read(buffer, 0, buffer.length)) > 0) {
        hash.update(buffer, 0, count);
      }
    }
    return Digest.ofSha256(hash.digest());
  }

  private static byte[] manifestOf(Descriptor config, List<Descriptor> layers) {
    var root = Json.mapper().createObjectNode();
    root.put("schemaVersion", 2).put("mediaType", MediaTypes.OCI_MANIFEST);
    root.putObject("config")
        .put("mediaType", config.mediaType())
        .put("digest", config.digest().toString())
        .put("size", config.size());
    var array = root.putArray("layers");
    for (Descriptor layer : layers) {
      array
          .addObject()
          .put("mediaType", layer.mediaType())
          .put("digest", layer.digest().toString())
          .put("size", layer.size());
    }
    return root.toString().getBytes(StandardCharsets.UTF_8);
  }

  private static JrtException invalid(
      String message, @org.jspecify.annotations.Nullable Throwable cause) {
    return new JrtException(ErrorKind.INVALID, "import image", message, cause);
  }
}
