package io.jrt.volumes;

import java.nio.file.Path;
import java.time.Duration;

/**
 * Settings of volumes.
 *
 * @param root persistent: the named volumes and their records
 * @param state lost at boot: mounts needed while others are made
 * @param prepareTimeout how long one mount may take before it counts as hanging
 */
public record VolumesConfig(Path root, Path state, Duration prepareTimeout) {

  /** The defaults below these directories. */
  public static VolumesConfig defaults(Path root, Path state) {
    return new VolumesConfig(root, state, Duration.ofSeconds(60));
  }
}
