package io.jrt.volumes;

import java.nio.file.Path;
import java.time.Duration;

/**
 * Settings of volumes.
 *
 * @param root persistent: the named volumes and their records
 * @param prepareTimeout how long one mount may take before it counts as hanging
 */
public record VolumesConfig(Path root, Duration prepareTimeout) {

  /** The defaults below this directory. */
  public static VolumesConfig defaults(Path root) {
    return new VolumesConfig(root, Duration.ofSeconds(60));
  }
}
