package io.jrt.volumes;

import java.nio.file.Path;
import java.util.List;

/** Where the content of a mount comes from. */
public sealed interface MountSource {

  /**
   * A file, directory, socket or device of the node; symlinks are followed.
   *
   * @param createDirectory make an empty directory where nothing exists (a person's {@code -v
   *     /path:/path}); the kubelet never wants this
   */
  record HostPath(Path path, boolean createDirectory) implements MountSource {
    public HostPath(Path path) {
      this(path, false);
    }
  }

  /**
   * The read-only content of an image, or one directory or file in it.
   *
   * @param layers the unpacked layers, topmost first
   * @param subPath relative path in the image, empty for all of it; resolved below the image's own
   *     root, whatever its symlinks say
   */
  record Image(String reference, List<Path> layers, String subPath) implements MountSource {
    public Image {
      layers = List.copyOf(layers);
    }
  }

  /**
   * Memory.
   *
   * @param sizeBytes 0 for the kernel's default of half the memory
   * @param mode permission bits of the root directory
   */
  record Tmpfs(long sizeBytes, int mode) implements MountSource {}

  /** A named volume of jrt's own. */
  record Named(String name) implements MountSource {}
}
