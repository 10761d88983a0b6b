package io.jrt.fuzz;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The way in for Jazzer, which looks for {@code fuzzerTestOneInput} and feeds what leads to code
 * that it has not seen yet: {@code -Djrt.fuzz.target=NAME} says which parser gets it, {@code
 * -Djrt.fuzz.directory=DIR} where that may write. {@code dist/dev/fuzz} runs all.
 */
public final class JazzerTarget {
  private static final Target TARGET =
      Target.valueOf(System.getProperty("jrt.fuzz.target", Target.REFERENCE.name()));
  private static final Path DIRECTORY = Path.of(System.getProperty("jrt.fuzz.directory", "/tmp"));

  private JazzerTarget() {}

  public static void fuzzerTestOneInput(byte[] bytes) {
    TARGET.feed(DIRECTORY, bytes);
  }

  /** Writes the seeds of each target into a directory of its name, and tells the names. */
  public static void main(String[] args) throws IOException {
    for (Target target : Target.values()) {
      Path directory = Files.createDirectories(Path.of(args[0], target.name()));
      List<byte[]> seeds = target.seeds();
      for (int i = 0; i < seeds.size(); i++) {
        Files.write(directory.resolve("seed" + i), seeds.get(i));
      }
      System.out.println(target);
    }
  }
}
