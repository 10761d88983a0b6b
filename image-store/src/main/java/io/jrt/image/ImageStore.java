package io.jrt.image;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * All images of a node: fetched, checked, unpacked, listed, removed; and the writable snapshots
 * that containers have of them.
 *
 * <p>What a method has answered of images is on the disk: it is true again after a crash or a power
 * cut. Snapshots outlive a crash of the daemon; after a power cut, when no container runs any more,
 * one that was made in the last seconds may be gone. Every method may be called from any thread.
 * Lists are answered from memory. Failures are {@link io.jrt.errors.JrtException}: NOT_FOUND,
 * INVALID (the image is wrong), UNAUTHENTICATED, DENIED, UNAVAILABLE (the registry), NO_SPACE,
 * DATA_LOSS (the bytes are not those of the digest), CANCELLED (the calling thread was
 * interrupted).
 */
public interface ImageStore extends AutoCloseable {

  /**
   * Fetches an image unless it is here already, and returns it. Equal layers under way in another
   * pull are waited for, not fetched twice. What an interrupted pull has fetched is kept and used
   * by the next one.
   */
  Image pull(PullRequest request, PullListener listener);

  /**
   * The image of a name ({@code busybox}, {@code registry:5000/a/b:tag}, {@code name@sha256:…}), an
   * image id ({@code sha256:…} or its 64 hex digits) or a prefix of an id that only one image has.
   */
  Optional<Image> find(String nameOrId);

  /** Every image, in no order. */
  List<Image> list();

  /**
   * Removes the image that {@link #find} finds, with all its names, and frees what nothing else
   * uses. Snapshots keep the layers they stand on until they are removed.
   *
   * @return whether there was such an image
   */
  boolean remove(String nameOrId);

  /**
   * Pinned images are reported as such, so that the kubelet's image garbage collection keeps them.
   *
   * @param reference a name in any form; it need not be here yet
   */
  void pin(String reference);

  /**
   * Imports an OCI layout (directory or tar) or a docker-archive; tars may be gzip or zstd
   * compressed.
   *
   * @return the images in the order of the archive, under the names that it gives them
   */
  List<Image> importArchive(Path source, PullListener listener);

  /** The pulls and imports under way, the oldest first. */
  List<PullProgress> pulls();

  /** What all images take of the disk, as unpacked; from memory. */
  FsUsage imageUsage();

  /** What the writable parts of all snapshots take of the disk; from memory, some seconds old. */
  FsUsage snapshotsUsage();

  /**
   * Makes the writable snapshot of a container over an image; an existing one of the same key and
   * image is returned as it is.
   *
   * @param key the container's id, or any other name of 1–128 characters of {@code [A-Za-z0-9_.-]}
   * @param imageId {@link Image#id()}
   */
  Snapshot prepareSnapshot(String key, String imageId);

  /** The snapshot of a key, if there is one. */
  Optional<Snapshot> snapshot(String key);

  /** Removes a snapshot; no error if there is none. It must not be mounted any more. */
  void removeSnapshot(String key);

  /** The keys of all snapshots. */
  Set<String> snapshotKeys();

  /**
   * What the writable part of a snapshot takes. The answer may be some seconds old: it comes from a
   * walk that is repeated in the background.
   */
  FsUsage snapshotUsage(String key);

  /**
   * The read-only layers of an image, for mounting it as a volume. They are kept until {@link
   * ImageTree#close()}, also when the image is removed meanwhile.
   *
   * @param nameOrId as in {@link #find}
   */
  ImageTree imageTree(String nameOrId);

  /** Deletes what nothing refers to any more; done by itself after a removal and at start. */
  void collectGarbage();

  /** Stops pulls under way and marks the store as cleanly closed. */
  @Override
  void close();
}
