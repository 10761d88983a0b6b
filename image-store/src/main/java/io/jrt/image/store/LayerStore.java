package io.jrt.image.store;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.image.Digest;
import io.jrt.image.content.Json;
import io.jrt.image.layer.LayerUnpacker;
import io.jrt.image.layer.LayerVerifier;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The unpacked layers, by chain id. A layer is in the map if and only if its directory is complete
 * and on the disk.
 *
 * <p>A layer that was committed before its image was recorded carries a mark until then, and is
 * kept for a day: a pull that was broken off finds it.
 *
 * <p>After a power cut every layer is suspect: a mark lies in its directory until it was compared
 * with its list of files, which happens at its next use.
 */
final class LayerStore {
  private static final Logger LOG = LoggerFactory.getLogger(LayerStore.class);
  private static final String RECORD = "layer.json";
  private static final String SUSPECT = "suspect";
  private static final String AHEAD = "ahead-of-image";
  private static final Duration KEPT = Duration.ofDays(1);

  private final StoreFiles files;
  private final Map<String, LayerRecord> layers = new ConcurrentHashMap<>();
  private final Set<String> suspects = ConcurrentHashMap.newKeySet();
  private final Map<String, Instant> ahead = new ConcurrentHashMap<>();
  private final Map<String, Integer> leases = new HashMap<>();

  LayerStore(StoreFiles files) {
    this.files = files;
  }

  /** Reads what is there; a directory without a readable record is deleted. */
  void load(boolean afterPowerCut) {
    try (var directories = Files.newDirectoryStream(files.layers())) {
      for (Path directory : directories) {
        String name = String.valueOf(directory.getFileName());
        try {
          LayerRecord layer =
              Json.mapper()
                  .readValue(Files.readAllBytes(directory.resolve(RECORD)), LayerRecord.class);
          if (!layer.hex().equals(name)) {
            throw new IOException("the record is that of " + layer.chainId());
          }
          if (afterPowerCut) {
            Files.write(directory.resolve(SUSPECT), new byte[0]);
          }
          if (Files.exists(directory.resolve(SUSPECT))) {
            suspects.add(name);
          }
          if (Files.exists(directory.resolve(AHEAD))) {
            ahead.put(name, Files.getLastModifiedTime(directory.resolve(AHEAD)).toInstant());
          }
          layers.put(name, layer);
        } catch (IOException | RuntimeException e) {
          // It can be fetched again, so it need not be kept.
          LOG.warn("layer {} is damaged and deleted: {}", name, e.getMessage());
          files.discard(directory);
        }
      }
    } catch (IOException e) {
      throw StoreFiles.failed("open image store", files.layers(), e);
    }
  }

  /** A layer, if it is here and, where that is in doubt, undamaged. */
  Optional<LayerRecord> find(String chainHex) {
    LayerRecord layer = layers.get(chainHex);
    if (layer == null) {
      return Optional.empty();
    }
    return !suspects.contains(chainHex) || survived(chainHex)
        ? Optional.of(layer)
        : Optional.empty();
  }

  /** Whether a layer is here, without looking for damage. */
  boolean contains(String chainHex) {
    return layers.containsKey(chainHex);
  }

  private synchronized boolean survived(String chainHex) {
    if (!layers.containsKey(chainHex)) {
      return false;
    }
    if (!suspects.contains(chainHex)) {
      return true;
    }
    Path directory = files.layers().resolve(chainHex);
    Optional<String> damage = LayerVerifier.damage(files.calls(), directory);
    if (damage.isPresent()) {
      LOG.warn("layer {} was damaged by an unclean stop: {}", chainHex, damage.get());
      forget(chainHex);
      return false;
    }
    try {
      Files.deleteIfExists(directory.resolve(SUSPECT));
    } catch (IOException e) {
      LOG.warn("the mark of {} cannot be removed, it will be verified again", chainHex, e);
    }
    suspects.remove(chainHex);
    return true;
  }

  private void forget(String chainHex) {
    LayerRecord layer = layers.remove(chainHex);
    try {
      files.discard(files.layers().resolve(chainHex));
    } catch (RuntimeException e) {
      // It lies where a new one of this name would have to go.
      if (layer != null) {
        layers.put(chainHex, layer);
      }
      throw e;
    }
    suspects.remove(chainHex);
    ahead.remove(chainHex);
  }

  /** The directory that overlayfs takes. */
  Path root(String chainHex) {
    return files.layers().resolve(chainHex).resolve(LayerUnpacker.ROOT);
  }

  /**
   * The roots of layers, the top one first, down to the first that hides all below it.
   *
   * @param chain hex chain ids, the base first
   * @throws JrtException DATA_LOSS when one is missing
   */
  List<Path> lowerDirs(List<String> chain) {
    var lower = new ArrayList<Path>();
    for (int i = chain.size() - 1; i >= 0; i--) {
      String hex = chain.get(i);
      LayerRecord layer =
          find(hex)
              .orElseThrow(
                  () ->
                      new JrtException(
                          ErrorKind.DATA_LOSS,
                          "use image",
                          "layer " + hex + " is missing or damaged",
                          "pull the image again",
                          null));
      lower.add(root(hex));
      if (layer.opaqueRoot()) {
        break;
      }
    }
    return lower;
  }

  /** Writes the record of a layer that is unpacked and finished; not yet synced. */
  void stage(LayerRecord layer, Path directory) {
    try {
      Files.write(directory.resolve(RECORD), Json.mapper().writeValueAsBytes(layer));
      Files.write(directory.resolve(AHEAD), new byte[0]);
    } catch (IOException e) {
      throw StoreFiles.failed("write layer", directory, e);
    }
  }

  /** Shows a layer that was staged and synced. */
  void commit(LayerRecord layer, Path directory) {
    Path target = files.layers().resolve(layer.hex());
    if (layers.containsKey(layer.hex())) {
      files.deleteTree(directory);
      return;
    }
    try {
      files.failPoints().hit("image-store.show-layer");
      files.rename(directory, target);
    } catch (RuntimeException e) {
      files.discard(directory);
      throw e;
    }
    ahead.put(layer.hex(), Instant.now());
    layers.put(layer.hex(), layer);
  }

  /** Layers are an image's now, and go with it. */
  void settle(Collection<String> chain) {
    for (String hex : chain) {
      if (ahead.remove(hex) != null) {
        try {
          Files.deleteIfExists(files.layers().resolve(hex).resolve(AHEAD));
        } catch (IOException e) {
          throw StoreFiles.failed("write layer", files.layers().resolve(hex), e);
        }
      }
    }
  }

  /** Deletes at once what no image and no pull under way has, since the disk is full. */
  void deleteUnused() {
    synchronized (leases) {
      for (String hex : List.copyOf(ahead.keySet())) {
        if (!leases.containsKey(hex)) {
          layers.remove(hex);
          suspects.remove(hex);
          ahead.remove(hex);
          files.deleteTree(files.layers().resolve(hex));
        }
      }
    }
  }

  private boolean isAhead(String hex) {
    Instant since = ahead.get(hex);
    return since != null && since.isAfter(Instant.now().minus(KEPT));
  }

  /** Keeps layers from being collected until as many calls of {@link #release}. */
  void lease(List<String> chain) {
    synchronized (leases) {
      chain.forEach(hex -> leases.merge(hex, 1, Integer::sum));
    }
  }

  void release(List<String> chain) {
    synchronized (leases) {
      chain.forEach(hex -> leases.computeIfPresent(hex, (key, n) -> n == 1 ? null : n - 1));
    }
  }

  /**
   * Deletes all layers that are not in use and not leased.
   *
   * @param inUse is asked while no lease can be given back: whoever made use of a layer did so
   *     before giving back its lease
   */
  void retain(Supplier<Set<String>> inUse) {
    synchronized (leases) {
      Set<String> used = inUse.get();
      for (String hex : List.copyOf(layers.keySet())) {
        if (!used.contains(hex) && !leases.containsKey(hex) && !isAhead(hex)) {
          forget(hex);
        }
      }
    }
  }

  /** Hex digests of the compressed layers that became those which are here. */
  Set<String> compressed() {
    return layers.values().stream()
        .map(layer -> Digest.parse(layer.digest()).hex())
        .collect(Collectors.toSet());
  }

  long bytes() {
    return layers.values().stream().mapToLong(LayerRecord::bytes).sum();
  }

  long inodes() {
    return layers.values().stream().mapToLong(LayerRecord::inodes).sum();
  }
}
