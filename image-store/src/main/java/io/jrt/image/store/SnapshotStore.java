package io.jrt.image.store;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.image.FsUsage;
import io.jrt.image.Snapshot;
import io.jrt.image.content.Json;
import io.jrt.linux.Damaged;
import io.jrt.linux.Fd;
import io.jrt.linux.KernelException;
import io.jrt.linux.Stat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The writable parts of containers. */
final class SnapshotStore {
  private static final Logger LOG = LoggerFactory.getLogger(SnapshotStore.class);
  private static final Pattern KEY = Pattern.compile("[A-Za-z0-9_-][A-Za-z0-9_.-]{0,127}");
  private static final String RECORD = "snapshot.json";

  /**
   * What is kept of a snapshot.
   *
   * @param chain hex chain ids of its layers, the base first
   */
  record Kept(String key, String imageId, List<String> chain) {
    Kept {
      Objects.requireNonNull(key, "it has no key");
      Objects.requireNonNull(imageId, "it has no image");
      chain = List.copyOf(chain);
    }
  }

  private final StoreFiles files;
  private final LayerStore layers;
  private final Map<String, Kept> snapshots = new ConcurrentHashMap<>();
  private final Map<String, FsUsage> usages = new ConcurrentHashMap<>();
  private final Path empty;

  SnapshotStore(StoreFiles files, LayerStore layers) {
    this.files = files;
    this.layers = layers;
    this.empty = files.root().resolve("empty");
  }

  void load() {
    try {
      Files.createDirectories(empty);
      try (var directories = Files.newDirectoryStream(files.snapshots())) {
        for (Path directory : directories) {
          String key = String.valueOf(directory.getFileName());
          try {
            Kept kept =
                Json.mapper().readValue(Files.readAllBytes(directory.resolve(RECORD)), Kept.class);
            if (!kept.key().equals(key)) {
              throw new IOException("the record is that of " + kept.key());
            }
            snapshots.put(key, kept);
          } catch (IOException | RuntimeException e) {
            // What a container wrote is nowhere else, and it may be running on it.
            Damaged.setAside(
                directory, files.damaged(), "snapshot", String.valueOf(e.getMessage()));
          }
        }
      }
    } catch (IOException e) {
      throw StoreFiles.failed("open image store", files.snapshots(), e);
    }
  }

  Snapshot prepare(String key, String imageId, List<String> chain) {
    if (!KEY.matcher(key).matches()) {
      throw new JrtException(
          ErrorKind.INVALID, "prepare snapshot", "'" + key + "' cannot be a snapshot's name");
    }
    Kept old = snapshots.get(key);
    if (old != null) {
      if (!old.imageId().equals(imageId)) {
        throw new JrtException(
            ErrorKind.ALREADY_EXISTS,
            "prepare snapshot",
            "snapshot " + key + " stands on " + old.imageId() + ", not on " + imageId);
      }
      return snapshot(old);
    }
    Kept kept = new Kept(key, imageId, chain);
    List<Path> lower = lower(kept);
    Path temp = files.newTemp("snapshot");
    try {
      makeUpper(temp, lower.getFirst());
      Files.write(temp.resolve(RECORD), Json.mapper().writeValueAsBytes(kept));
      files.failPoints().hit("image-store.show-snapshot");
      files.rename(temp, files.snapshots().resolve(key));
    } catch (IOException | KernelException | JrtException e) {
      files.discard(temp);
      throw StoreFiles.failed("prepare snapshot", temp, e);
    }
    snapshots.put(key, kept);
    return snapshot(kept);
  }

  /** The root of the merged tree is the upper's: it must look as the image's does. */
  private void makeUpper(Path temp, Path top) {
    var calls = files.calls();
    calls.mkdirat(Fd.CWD, temp.resolve("upper").toString(), 0755);
    calls.mkdirat(Fd.CWD, temp.resolve("work").toString(), 0700);
    try (Fd from = calls.openDirectory(top);
        Fd to = calls.openDirectory(temp.resolve("upper"))) {
      Stat stat = calls.fstat(from);
      calls.fchown(to, stat.uid(), stat.gid());
      calls.fchmod(to, stat.permissions());
    }
  }

  Optional<Snapshot> find(String key) {
    return Optional.ofNullable(snapshots.get(key)).map(this::snapshot);
  }

  private Snapshot snapshot(Kept kept) {
    Path directory = files.snapshots().resolve(kept.key());
    return new Snapshot(
        kept.key(),
        kept.imageId(),
        lower(kept),
        directory.resolve("upper"),
        directory.resolve("work"));
  }

  private List<Path> lower(Kept kept) {
    List<Path> lower = layers.lowerDirs(kept.chain());
    return lower.isEmpty() ? List.of(empty) : lower;
  }

  /** Read-only roots of an image, the top one first. */
  List<Path> lowerOf(List<String> chain) {
    List<Path> lower = layers.lowerDirs(chain);
    return lower.isEmpty() ? List.of(empty) : lower;
  }

  void remove(String key) {
    if (snapshots.containsKey(key)) {
      // Known until it is gone: a removal that fails is tried again.
      files.discard(files.snapshots().resolve(key));
      snapshots.remove(key);
      usages.remove(key);
    }
  }

  Set<String> keys() {
    return Set.copyOf(snapshots.keySet());
  }

  Set<String> usedLayers() {
    var used = new HashSet<String>();
    snapshots.values().forEach(kept -> used.addAll(kept.chain()));
    return used;
  }

  FsUsage usage(String key) {
    if (!snapshots.containsKey(key)) {
      throw new JrtException(
          ErrorKind.NOT_FOUND, "measure snapshot", "there is no snapshot " + key);
    }
    FsUsage known = usages.get(key);
    return known == null ? measure(key) : known;
  }

  FsUsage total() {
    long bytes = 0;
    long inodes = 0;
    Instant at = Instant.now();
    for (String key : snapshots.keySet()) {
      FsUsage usage = usages.get(key);
      if (usage != null) {
        bytes += usage.bytes();
        inodes += usage.inodes();
        at = usage.at().isBefore(at) ? usage.at() : at;
      }
    }
    return new FsUsage(files.snapshots(), bytes, inodes, at);
  }

  /** Walks every snapshot; called now and then in the background. */
  void measureAll() {
    for (String key : snapshots.keySet()) {
      try {
        measure(key);
      } catch (KernelException e) {
        // A container that is just being removed is no news.
        LOG.debug("snapshot {} cannot be measured", key, e);
      }
    }
  }

  private FsUsage measure(String key) {
    Path upper = files.snapshots().resolve(key).resolve("upper");
    var walk = new TreeUsage(files.calls());
    try (Fd fd = files.calls().openDirectory(upper)) {
      walk.add(fd);
    }
    FsUsage usage = new FsUsage(upper, walk.bytes(), walk.inodes(), Instant.now());
    if (snapshots.containsKey(key)) {
      usages.put(key, usage);
    }
    return usage;
  }
}
