package io.jrt.image;

import java.nio.file.Path;
import java.util.List;

/**
 * The filesystem of a container: the layers of an image and a place for what the container writes.
 * It is not mounted; who starts the container mounts it as an overlay.
 *
 * @param key whose it is
 * @param imageId the image it stands on
 * @param lowerDirs the layers, the top one first, as overlayfs wants them; an image without layers
 *     has one empty directory
 * @param upper what the container writes
 * @param work overlayfs' own; on the same filesystem as upper
 */
public record Snapshot(String key, String imageId, List<Path> lowerDirs, Path upper, Path work) {

  public Snapshot {
    lowerDirs = List.copyOf(lowerDirs);
  }
}
