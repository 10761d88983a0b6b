package io.jrt.core.cgroup;

import io.jrt.linux.Kernel;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The machine's control groups, whichever version is mounted. A path is absolute and the same in
 * every hierarchy, as {@code /kubepods/burstable/podUID/ID}; it is checked: no {@code ..}, no empty
 * name.
 */
public interface CgroupManager {

  /**
   * Finds what is mounted: v2 alone, or v1 hierarchies, with a v2 one beside them where there is.
   *
   * @throws io.jrt.errors.JrtException FAILED_PRECONDITION when there is neither
   */
  static CgroupManager detect(Kernel kernel) {
    return CgroupDetection.detect(kernel);
  }

  /** Whose rules hold: 2 only when v2 is alone. */
  int version();

  /** The controllers that can be used, by their v2 names where those differ ({@code io}). */
  Set<String> controllers();

  /**
   * Makes a cgroup and those above it that are missing, gives it its limits and answers it. An
   * existing one without processes is taken over; the limits are set anew.
   *
   * @throws io.jrt.errors.JrtException ALREADY_EXISTS when processes live in it; INVALID or
   *     FAILED_PRECONDITION when a limit cannot be set, naming file and value: then nothing is left
   */
  Cgroup create(String path, Resources resources);

  /** The cgroup of that path if it exists, as after a restart of the daemon. */
  Optional<Cgroup> find(String path);

  /** Names of the cgroups directly below, in any hierarchy; empty when there is no such path. */
  List<String> children(String path);
}
