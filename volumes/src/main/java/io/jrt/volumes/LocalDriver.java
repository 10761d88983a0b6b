package io.jrt.volumes;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.volumes.spi.VolumeDriver;
import java.nio.file.Path;
import java.util.Map;

/** Volumes that are directories of the node's own disk. */
final class LocalDriver implements VolumeDriver {
  private final DirectoryQuota quota;

  LocalDriver(DirectoryQuota quota) {
    this.quota = quota;
  }

  @Override
  public String name() {
    return VolumeSpec.LOCAL;
  }

  @Override
  public void create(String volume, Path directory, long sizeBytes, Map<String, String> options) {
    if (!options.isEmpty()) {
      throw new JrtException(
          ErrorKind.INVALID,
          "create volume",
          "volume %s: driver local has no option \"%s\""
              .formatted(volume, options.keySet().iterator().next()));
    }
    if (sizeBytes > 0) {
      quota.limit(directory, sizeBytes, 0);
    }
  }

  @Override
  public Path activate(String volume, Path directory, Map<String, String> options) {
    return directory;
  }

  @Override
  public void deactivate(String volume, Path directory) {
    // a directory needs nothing
  }

  @Override
  public void remove(String volume, Path directory) {
    quota.release(directory);
  }
}
