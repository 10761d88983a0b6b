package io.jrt.image.store;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.image.Digest;
import io.jrt.linux.Errno;
import io.jrt.linux.FailPoints;
import io.jrt.linux.Fd;
import io.jrt.linux.Files;
import io.jrt.linux.Kernel;
import io.jrt.linux.KernelException;
import io.jrt.linux.OpenFlags;
import io.jrt.linux.StatFs;
import io.jrt.linux.Threads;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where things are below the root of a store, and the few ways in which they get there.
 *
 * <pre>
 * blobs/sha256/HEX     manifests, indexes, configurations
 * images/HEX.json      one record an image
 * layers/HEX/          one directory a chain id: fs (the layer), tree (list of files), layer.json
 * snapshots/KEY/       upper, work, snapshot.json
 * damaged/             records that could not be read, for a person to look at
 * ingest/              parts of large layers, kept for the next attempt
 * tmp/                 what is being made or deleted; emptied at start
 * lock, state          one daemon a root; how the last one ended
 * </pre>
 */
final class StoreFiles implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(StoreFiles.class);

  private static final String TRASH = "trash-";

  private final Files files;
  private final FailPoints failPoints;
  private final Path root;
  private final Fd lock;
  private final AtomicLong names = new AtomicLong();
  private final SyncGroup syncs;
  private final Queue<Path> undeleted = new ConcurrentLinkedQueue<>();

  /**
   * Makes the directories and takes the lock.
   *
   * @throws JrtException FAILED_PRECONDITION when another daemon has the root
   */
  StoreFiles(Kernel kernel, Path root) {
    this.files = kernel.files();
    this.failPoints = kernel.failPoints();
    this.root = root;
    try {
      java.nio.file.Files.createDirectories(root);
      try (Fd fd = files.openDirectory(root)) {
        files.fchmod(fd, 0700);
      }
      for (Path directory : List.of(blobs(), images(), layers(), snapshots(), ingest(), tmp())) {
        java.nio.file.Files.createDirectories(directory);
      }
    } catch (IOException e) {
      throw failed("open image store", root, e);
    }
    this.lock = files.open(root.resolve("lock"), OpenFlags.O_RDWR | OpenFlags.O_CREAT, 0600);
    if (!files.tryFlock(lock)) {
      lock.close();
      throw new JrtException(
          ErrorKind.FAILED_PRECONDITION,
          "open image store",
          "the image store " + root + " is in use by another daemon");
    }
    this.syncs = new SyncGroup(this::syncFilesystem);
  }

  Files calls() {
    return files;
  }

  FailPoints failPoints() {
    return failPoints;
  }

  Path root() {
    return root;
  }

  Path blobs() {
    return root.resolve("blobs/sha256");
  }

  Path images() {
    return root.resolve("images");
  }

  Path layers() {
    return root.resolve("layers");
  }

  Path snapshots() {
    return root.resolve("snapshots");
  }

  Path ingest() {
    return root.resolve("ingest");
  }

  Path damaged() {
    return root.resolve("damaged");
  }

  Path tmp() {
    return root.resolve("tmp");
  }

  Path state() {
    return root.resolve("state");
  }

  /** A fresh directory below tmp. */
  Path newTemp(String purpose) {
    Path path = newTempName(purpose);
    files.mkdirat(Fd.CWD, path.toString(), 0700);
    return path;
  }

  private Path newTempName(String purpose) {
    return tmp().resolve(purpose + "-" + names.incrementAndGet() + "-" + System.nanoTime());
  }

  /** Writes a small file so that it is there whole or not at all, also after a power cut. */
  void writeDurably(Path target, byte[] content) {
    Path temp = newTempName("write");
    try {
      try (Fd fd =
          files.open(temp, OpenFlags.O_WRONLY | OpenFlags.O_CREAT | OpenFlags.O_EXCL, 0600)) {
        files.writeFully(fd, content);
        files.fsync(fd);
      }
      failPoints.hit("image-store.show-file");
      rename(temp, target);
      failPoints.hit("image-store.sync-directory");
      syncDirectory(parent(target));
    } catch (KernelException | JrtException e) {
      files.unlinkIfPresent(Fd.CWD, bytes(temp), 0);
      throw failed("write image store", target, e);
    }
  }

  /**
   * The same, and where the disk is full in place of the old content: nobody could make room on a
   * node whose daemon needs room to start.
   */
  void note(Path target, byte[] content) {
    try {
      writeDurably(target, content);
    } catch (JrtException e) {
      if (e.kind() != ErrorKind.NO_SPACE || !java.nio.file.Files.exists(target)) {
        throw e;
      }
      LOG.warn("{}; it is written in place", e.getMessage());
      try (Fd fd = files.open(target, OpenFlags.O_WRONLY)) {
        files.writeFully(fd, content);
        files.ftruncate(fd, content.length);
        files.fsync(fd);
      } catch (KernelException further) {
        throw failed("write image store", target, further);
      }
    }
  }

  /** Removes a small file for good. */
  void deleteDurably(Path target) {
    if (files.unlinkIfPresent(Fd.CWD, bytes(target), 0)) {
      syncDirectory(parent(target));
    }
  }

  /** One atomic rename; an existing file is replaced, an existing directory must be empty. */
  void rename(Path from, Path to) {
    files.renameat2(Fd.CWD, from.toString(), Fd.CWD, to.toString(), 0);
  }

  void syncDirectory(Path directory) {
    try (Fd fd = files.openDirectory(directory)) {
      files.fsync(fd);
    }
  }

  /** To be taken before the first write that a later {@link #sync} is to cover. */
  long syncMark() {
    return syncs.mark();
  }

  /**
   * Brings all that was written so far to the disk; callers at the same time share one sync.
   *
   * @param mark of before the writes
   */
  void sync(long mark) {
    syncs.sync(mark);
  }

  /** Begins to bring to the disk what was written so far. */
  void syncAhead() {
    syncs.ahead();
  }

  private void syncFilesystem() {
    try (Fd fd = files.openDirectory(root)) {
      files.syncfs(fd);
    }
  }

  /** Takes a thing out of sight at once and deletes it. */
  void discard(Path path) {
    Path grave = newTempName("dead");
    failPoints.hit("image-store.discard");
    try {
      rename(path, grave);
    } catch (KernelException e) {
      if (e.is(Errno.ENOENT)) {
        return;
      }
      throw failed("delete", path, e);
    }
    try {
      Threads.start(
          Thread.ofPlatform().daemon().name("jrt-delete").unstarted(() -> deleteTree(grave)));
    } catch (JrtException e) {
      LOG.warn("{} is deleted later: {}", grave, e.getMessage());
      undeleted.add(grave);
    }
  }

  /** Deletes now; what cannot be deleted is tried again later. */
  void deleteTree(Path path) {
    try (Fd parent = files.openDirectory(parent(path))) {
      failPoints.hit("image-store.delete");
      files.removeTree(parent, String.valueOf(path.getFileName()));
    } catch (KernelException | JrtException e) {
      LOG.warn("{} cannot be deleted now and is tried again: {}", path, e.getMessage());
      undeleted.add(path);
    }
  }

  /** Tries again what could not be deleted. */
  void deleteLeft() {
    List<Path> left = new ArrayList<>();
    for (Path path = undeleted.poll(); path != null; path = undeleted.poll()) {
      left.add(path);
    }
    left.forEach(this::deleteTree);
  }

  /**
   * Puts aside what the last daemon half-made or half-deleted, and starts with an empty tmp. Where
   * there is no room for another directory it is deleted at once.
   */
  void resetTemp() {
    Path trash = root.resolve(TRASH + System.nanoTime());
    rename(tmp(), trash);
    try {
      files.mkdirat(Fd.CWD, tmp().toString(), 0700);
    } catch (KernelException e) {
      if (!e.is(Errno.ENOSPC, Errno.EDQUOT)) {
        throw e;
      }
      rename(trash, tmp());
      try (var left = java.nio.file.Files.newDirectoryStream(tmp())) {
        left.forEach(this::deleteTree);
      } catch (IOException further) {
        throw failed("open image store", tmp(), further);
      }
    }
  }

  /** Deletes what was put aside. */
  void emptyTrash() {
    try (var left = java.nio.file.Files.newDirectoryStream(root, TRASH + "*")) {
      for (Path path : left) {
        deleteTree(path);
      }
    } catch (IOException e) {
      throw failed("clean image store", root, e);
    }
  }

  /** Free bytes that an ordinary writer may use. */
  long freeBytes() {
    StatFs stat = stat();
    return stat.blocksAvailable() * stat.blockSize();
  }

  private StatFs stat() {
    try (Fd fd = files.openDirectory(root)) {
      return files.statfs(fd);
    }
  }

  /** Stores a document under its digest; one that is there is left alone. */
  void putBlob(Digest digest, byte[] bytes) {
    Path target = blobs().resolve(digest.hex());
    if (getBlob(digest).isEmpty()) {
      writeDurably(target, bytes);
    }
  }

  /** A document, verified; empty when it is missing or damaged. */
  Optional<byte[]> getBlob(Digest digest) {
    Path path = blobs().resolve(digest.hex());
    try {
      byte[] bytes = java.nio.file.Files.readAllBytes(path);
      if (digest.of(bytes).equals(digest)) {
        return Optional.of(bytes);
      }
      LOG.warn("{} is damaged", path);
      return Optional.empty();
    } catch (java.nio.file.NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException e) {
      throw failed("read image store", path, e);
    }
  }

  static JrtException failed(String step, Path path, Exception e) {
    boolean full =
        e instanceof KernelException kernel
            ? kernel.is(Errno.ENOSPC, Errno.EDQUOT)
            : String.valueOf(e.getMessage()).contains("No space left");
    return new JrtException(
        full ? ErrorKind.NO_SPACE : ErrorKind.INTERNAL,
        step,
        full ? "no space left for " + path : path + ": " + e.getMessage(),
        e);
  }

  private static Path parent(Path path) {
    return java.util.Objects.requireNonNull(path.getParent());
  }

  private static byte[] bytes(Path path) {
    return path.toString().getBytes(java.nio.charset.StandardCharsets.UTF_8);
  }

  @Override
  public void close() {
    lock.close();
  }
}
