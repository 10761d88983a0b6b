package io.jrt.volumes;

import java.nio.file.Path;
import java.util.Optional;

/**
 * Size limits of directories by project quota, on ext4 and xfs mounted with {@code prjquota}: for
 * named volumes, and for the writable layer of a container on overlay.
 */
public interface DirectoryQuota {

  /** Why directories below this one cannot be limited; empty when they can. */
  Optional<String> unsupported(Path directory);

  /**
   * Limits an existing, empty directory; what is made in it counts. Setting it again changes the
   * limit.
   *
   * @param inodes 0 for no limit
   * @throws io.jrt.errors.JrtException FAILED_PRECONDITION where the file system has no project
   *     quota
   */
  void limit(Path directory, long bytes, long inodes);

  /** What a limited directory holds; empty when it has no quota. */
  Optional<VolumeUsage> usage(Path directory);

  /** Gives the project back, after or before the directory is removed. */
  void release(Path directory);
}
