package io.jrt.security;

import io.jrt.linux.Kernel;
import org.jspecify.annotations.NullMarked;

/** The way of the fuzz targets to what this package keeps to itself. */
@NullMarked
public final class SeccompDoor {
  private static final SeccompLog LOG = new SeccompLog(Kernel.open());

  private SeccompDoor() {}

  public static void profile(byte[] bytes) {
    SeccompProfileReader.read("fuzz", bytes);
  }

  public static void kernelLog(String line) {
    LOG.parse(line);
  }
}
