package io.jrt.fuzz;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The way in for Jazzer, which looks for this method: {@code -Djrt.fuzz.target=NAME} says which.
 */
public final class JazzerTarget {
  private static final Target TARGET =
      Target.valueOf(System.getProperty("jrt.fuzz.target", Target.REFERENCE.name()));
  private static final Path DIRECTORY = directory();

  private JazzerTarget() {}

  private static Path directory() {
    try {
      return Files.createTempDirectory("jrt-fuzz");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public static void fuzzerTestOneInput(byte[] bytes) {
    TARGET.feed(DIRECTORY, bytes);
  }
}
