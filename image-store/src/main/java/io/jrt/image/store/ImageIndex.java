package io.jrt.image.store;

import io.jrt.errors.JrtException;
import io.jrt.image.Digest;
import io.jrt.image.Image;
import io.jrt.image.Reference;
import io.jrt.image.content.ConfigDocument;
import io.jrt.image.content.Json;
import io.jrt.linux.Damaged;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArraySet;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.node.ObjectNode;

/** The images by id and by name. An image with a missing layer is kept but not shown. */
final class ImageIndex {
  private static final Logger LOG = LoggerFactory.getLogger(ImageIndex.class);
  private static final String VERSION_FIELD = "version";
  private static final int VERSION = 1;
  private static final Pattern ID_PREFIX = Pattern.compile("[0-9a-f]{4,64}");

  /** An image with its configuration read. */
  record Entry(ImageRecord record, ConfigDocument config) {}

  private final StoreFiles files;
  private final LayerStore layers;
  private final Map<String, Entry> images = new ConcurrentHashMap<>();
  private final Set<String> pins = new CopyOnWriteArraySet<>();

  ImageIndex(StoreFiles files, LayerStore layers) {
    this.files = files;
    this.layers = layers;
  }

  void load() {
    try (var records = Files.newDirectoryStream(files.images(), "*.json")) {
      for (Path path : records) {
        try {
          ImageRecord record = read(path);
          Optional<byte[]> config = files.getBlob(Digest.parse(record.id()));
          if (config.isEmpty()) {
            throw new IOException("its configuration is missing or damaged");
          }
          images.put(
              record.id(),
              new Entry(record, ConfigDocument.parse("the configuration", config.get())));
        } catch (IOException | RuntimeException e) {
          Damaged.setAside(path, files.damaged(), "image record", String.valueOf(e.getMessage()));
        }
      }
    } catch (IOException e) {
      throw StoreFiles.failed("open image store", files.images(), e);
    }
  }

  private static ImageRecord read(Path path) throws IOException {
    if (!(Json.mapper().readTree(Files.readAllBytes(path)) instanceof ObjectNode tree)) {
      throw new IOException("it is no JSON object");
    }
    // The first daemons wrote none.
    int version = tree.path(VERSION_FIELD).asInt(1);
    if (version > VERSION) {
      throw new IOException("it has version " + version + " and this daemon knows " + VERSION);
    }
    tree.remove(VERSION_FIELD);
    ImageRecord record = Json.mapper().treeToValue(tree, ImageRecord.class);
    if (!path.endsWith(Digest.parse(record.id()).hex() + ".json")) {
      throw new IOException("it is the record of " + record.id());
    }
    return record;
  }

  void pin(String name) {
    pins.add(name);
  }

  List<Image> list() {
    return images.values().stream().filter(this::isComplete).map(this::image).toList();
  }

  /** The image of a name or id, if it is complete. */
  Optional<Entry> find(String nameOrId) {
    return lookUp(nameOrId).filter(this::isComplete);
  }

  /** Also an image that lacks a layer. */
  Optional<Entry> lookUp(String nameOrId) {
    String text = nameOrId.startsWith("sha256:") ? nameOrId.substring(7) : nameOrId;
    Entry byId = images.get("sha256:" + text);
    if (byId != null) {
      return Optional.of(byId);
    }
    if (!nameOrId.startsWith("sha256:")) {
      Optional<Entry> named = byName(nameOrId);
      if (named.isPresent()) {
        return named;
      }
    }
    if (ID_PREFIX.matcher(text).matches()) {
      List<Entry> candidates =
          images.values().stream()
              .filter(entry -> entry.record().id().startsWith("sha256:" + text))
              .toList();
      return candidates.size() == 1 ? Optional.of(candidates.getFirst()) : Optional.empty();
    }
    return Optional.empty();
  }

  private Optional<Entry> byName(String name) {
    Reference reference;
    try {
      reference = Reference.parse(name);
    } catch (JrtException e) {
      // What is no name names no image.
      LOG.debug("not a name: {}", e.getMessage());
      return Optional.empty();
    }
    return reference
        .digest()
        .map(digest -> byDigest(reference.withDigest(digest)))
        .orElseGet(() -> byTag(reference.tagged().orElse("")));
  }

  Optional<Entry> byTag(String tag) {
    return images.values().stream().filter(e -> e.record().tags().contains(tag)).findAny();
  }

  Optional<Entry> byDigest(String nameWithDigest) {
    return images.values().stream()
        .filter(e -> e.record().digests().contains(nameWithDigest))
        .findAny();
  }

  /** Images that some name knows by this digest of manifest or index. */
  List<Entry> ofTarget(Digest target) {
    String suffix = "@" + target;
    return images.values().stream()
        .filter(e -> e.record().digests().stream().anyMatch(name -> name.endsWith(suffix)))
        .toList();
  }

  boolean isComplete(Entry entry) {
    return entry.record().layers().stream().allMatch(layer -> layers.contains(hex(layer)));
  }

  /**
   * Adds an image, or names to one that is here. A tag that was another image's moves.
   *
   * @param record with the new names only; older ones of the same image stay
   */
  synchronized Image put(ImageRecord record, ConfigDocument config) {
    Entry old = images.get(record.id());
    ImageRecord merged =
        old == null
            ? record
            : new ImageRecord(
                record.id(),
                record.manifest(),
                ImageRecord.plus(old.record().tags(), record.tags()),
                ImageRecord.plus(old.record().digests(), record.digests()),
                record.size(),
                record.layers(),
                old.record().pulledAt());
    if (old == null || !old.record().equals(merged)) {
      write(merged);
    }
    Entry entry = new Entry(merged, config);
    images.put(record.id(), entry);
    for (String tag : record.tags()) {
      for (Entry other : List.copyOf(images.values())) {
        if (!other.record().id().equals(record.id()) && other.record().tags().contains(tag)) {
          ImageRecord left = other.record().withoutTag(tag);
          write(left);
          images.put(left.id(), new Entry(left, other.config()));
        }
      }
    }
    return image(entry);
  }

  synchronized void remove(String id) {
    files.deleteDurably(path(id));
    images.remove(id);
  }

  private void write(ImageRecord record) {
    ObjectNode tree = Json.mapper().valueToTree(record);
    tree.put(VERSION_FIELD, VERSION);
    files.writeDurably(path(record.id()), Json.mapper().writeValueAsBytes(tree));
  }

  private Path path(String id) {
    return files.images().resolve(Digest.parse(id).hex() + ".json");
  }

  /** The hex chain ids that images need. */
  Set<String> usedLayers() {
    var used = new HashSet<String>();
    images.values().forEach(entry -> used.addAll(chain(entry.record())));
    return used;
  }

  /** The hex digests of documents that images need. */
  Set<String> usedBlobs() {
    var used = new HashSet<String>();
    for (Entry entry : images.values()) {
      used.add(Digest.parse(entry.record().id()).hex());
      used.add(Digest.parse(entry.record().manifest()).hex());
      for (String name : entry.record().digests()) {
        used.add(Digest.parse(name.substring(name.indexOf('@') + 1)).hex());
      }
    }
    return used;
  }

  static List<String> chain(ImageRecord record) {
    return record.layers().stream().map(ImageIndex::hex).toList();
  }

  static String hex(ImageRecord.Layer layer) {
    return Digest.parse(layer.chainId()).hex();
  }

  Image image(Entry entry) {
    ImageRecord record = entry.record();
    return new Image(
        record.id(),
        record.tags(),
        record.digests(),
        record.size(),
        isPinned(record),
        entry.config().config(),
        record.layers().stream().map(ImageRecord.Layer::diffId).toList(),
        Instant.parse(record.pulledAt()));
  }

  private boolean isPinned(ImageRecord record) {
    var names = new ArrayList<String>(record.tags());
    names.addAll(record.digests());
    return names.stream().anyMatch(pins::contains);
  }
}
