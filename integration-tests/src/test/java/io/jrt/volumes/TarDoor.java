package io.jrt.volumes;

import io.jrt.linux.Fd;
import io.jrt.linux.Kernel;
import java.io.ByteArrayInputStream;
import java.nio.file.Path;
import org.jspecify.annotations.NullMarked;

/** The way of the fuzz targets to what this package keeps to itself. */
@NullMarked
public final class TarDoor {
  private static final Kernel KERNEL = Kernel.open();

  private TarDoor() {}

  public static void unpack(Path directory, byte[] bytes) {
    try (Fd root = KERNEL.files().openDirectory(directory)) {
      new TarReader(KERNEL.files(), new ByteArrayInputStream(bytes)).unpack(root);
    }
  }
}
