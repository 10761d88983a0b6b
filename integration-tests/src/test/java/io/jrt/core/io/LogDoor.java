package io.jrt.core.io;

import org.jspecify.annotations.NullMarked;

/** The way of the fuzz targets to what this package keeps to itself. */
@NullMarked
public final class LogDoor {
  private LogDoor() {}

  public static void line(byte[] bytes) {
    LogReader.parse(bytes);
  }
}
