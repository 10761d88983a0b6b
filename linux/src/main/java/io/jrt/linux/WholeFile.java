package io.jrt.linux;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Small files that are there whole or not at all: the old content or the new one. They are written
 * beside their place and renamed onto it; only root can read them.
 */
public final class WholeFile {
  private static final Logger log = LoggerFactory.getLogger(WholeFile.class);
  private static final String BESIDE = ".tmp";

  private WholeFile() {}

  /** What a change must outlive. */
  public enum Durability {
    /** The daemon's death: for what means nothing after the machine's. */
    CRASH,
    /** The daemon's death; the machine's may bring the one before back. Costs one sync. */
    INTACT,
    /** The machine's. Costs two syncs, of the file and of its directory. */
    POWER_CUT
  }

  /** Writes a file, in place of an older one. */
  public static void write(Path place, byte[] content, Durability durability) throws IOException {
    write(place, content, durability, FailPoints.none(), "");
  }

  /**
   * The same.
   *
   * @param name of the fail-points {@code NAME.show} and {@code NAME.shown}
   */
  public static void write(
      Path place, byte[] content, Durability durability, FailPoints failPoints, String name)
      throws IOException {
    Path beside = place.resolveSibling("." + place.getFileName() + BESIDE);
    try {
      try (FileChannel out =
          FileChannel.open(
              beside,
              Set.of(
                  StandardOpenOption.CREATE,
                  StandardOpenOption.TRUNCATE_EXISTING,
                  StandardOpenOption.WRITE),
              PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")))) {
        ByteBuffer left = ByteBuffer.wrap(content);
        while (left.hasRemaining()) {
          out.write(left);
        }
        if (durability != Durability.CRASH) {
          out.force(true);
        }
      }
      failPoints.hit(name + ".show");
      Files.move(beside, place, StandardCopyOption.ATOMIC_MOVE);
      failPoints.hit(name + ".shown");
      if (durability == Durability.POWER_CUT) {
        syncParent(place);
      }
    } catch (IOException | RuntimeException | Error e) {
      // An error, too: a sync on a virtual thread may want a carrier more than there may be.
      discard(beside, e);
      throw e;
    }
  }

  /** What a full disk cut short must not take of the disk as well. */
  private static void discard(Path beside, Throwable why) {
    try {
      Files.deleteIfExists(beside);
    } catch (IOException e) {
      why.addSuppressed(e);
    }
  }

  /** Deletes a file; no error when there is none. */
  public static void remove(Path place, Durability durability) throws IOException {
    Files.deleteIfExists(place);
    if (durability == Durability.POWER_CUT) {
      syncParent(place); // also when it was gone: that may not be on the disk yet
    }
  }

  /**
   * The files of a directory, in the order of their names, without what a crash left half-written:
   * that is deleted.
   */
  public static List<Path> list(Path directory) throws IOException {
    List<Path> all;
    try (var listing = Files.list(directory)) {
      all = listing.sorted().toList();
    }
    for (Path file : all) {
      if (isHalfWritten(file)) {
        tidyUp(file);
      }
    }
    return all.stream().filter(file -> !isHalfWritten(file)).toList();
  }

  private static void tidyUp(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      log.warn("{} is half-written and cannot be deleted: {}", file, e.toString());
    }
  }

  private static boolean isHalfWritten(Path file) {
    String name = String.valueOf(file.getFileName());
    return name.startsWith(".") && name.endsWith(BESIDE);
  }

  private static void syncParent(Path place) throws IOException {
    Path directory = Objects.requireNonNull(place.getParent());
    try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }
}
