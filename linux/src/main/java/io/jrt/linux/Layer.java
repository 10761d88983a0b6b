package io.jrt.linux;

import java.nio.file.Path;

/** A lower directory of an overlay: by path, or by descriptor (of an idmapped detached mount). */
public sealed interface Layer {
  record OfPath(Path path) implements Layer {}

  /** The descriptor must stay open until the overlay exists. */
  record OfFd(Fd fd) implements Layer {}

  static Layer of(Path path) {
    return new OfPath(path);
  }

  static Layer of(Fd fd) {
    return new OfFd(fd);
  }
}
