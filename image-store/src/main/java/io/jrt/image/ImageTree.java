package io.jrt.image;

import java.nio.file.Path;
import java.util.List;

/** The read-only layers of an image while somebody uses them without a snapshot. */
public interface ImageTree extends AutoCloseable {

  /** The image. */
  String imageId();

  /** The layers, the top one first, as overlayfs wants them; at least one. */
  List<Path> lowerDirs();

  /** Lets garbage collection have the layers again. */
  @Override
  void close();
}
