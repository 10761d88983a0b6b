package io.jrt.volumes;

import java.time.Instant;
import java.util.OptionalLong;
import java.util.Set;

/**
 * A named volume.
 *
 * @param users ids of the containers that use it
 * @param usedBytes what it holds, where that is known without walking its files (project quota)
 */
public record VolumeInfo(
    VolumeSpec spec, Instant created, Set<String> users, OptionalLong usedBytes) {

  public VolumeInfo {
    users = Set.copyOf(users);
  }
}
