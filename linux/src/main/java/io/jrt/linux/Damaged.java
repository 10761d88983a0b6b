package io.jrt.linux;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is done with a file or directory that is not what its place says: it is moved out of the
 * way, told, and kept, so that a person can look at it and the daemon starts all the same.
 */
public final class Damaged {
  private static final Logger log = LoggerFactory.getLogger(Damaged.class);

  private Damaged() {}

  /**
   * Moves something into a directory on the same file system, which is made where it is missing.
   *
   * @param what it should have been: {@code image record}
   * @return where it lies now; empty when it could not be moved, which is told too
   */
  public static Optional<Path> setAside(Path place, Path into, String what, String why) {
    Path aside = into.resolve(place.getFileName() + "." + System.nanoTime());
    String reason = why.lines().findFirst().orElse("");
    try {
      Files.createDirectories(into);
      Files.move(place, aside);
      log.error("{} is no {} and was moved to {}: {}", place, what, aside, reason);
      return Optional.of(aside);
    } catch (IOException e) {
      log.error("{} is no {} ({}) and cannot be moved: {}", place, what, reason, e.toString());
      return Optional.empty();
    }
  }
}
