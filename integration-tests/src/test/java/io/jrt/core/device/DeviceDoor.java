package io.jrt.core.device;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.NullMarked;

/** The way of the fuzz targets to what this package keeps to itself. */
@NullMarked
public final class DeviceDoor {
  private DeviceDoor() {}

  public static void loaderCache(byte[] bytes) {
    LoaderCache.parse(bytes);
  }

  public static void library(Path directory, byte[] bytes) throws IOException {
    ElfFile.read(Files.write(directory.resolve("library.so"), bytes));
  }
}
