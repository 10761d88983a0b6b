package io.jrt.core.cgroup;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Kernel;

/** Finds out which cgroups a machine has. */
final class CgroupDetection {
  private CgroupDetection() {}

  static CgroupManager detect(Kernel kernel) {
    if (kernel.mounts().mountInfo().stream().noneMatch(m -> m.fsType().startsWith("cgroup"))) {
      throw new JrtException(
          ErrorKind.FAILED_PRECONDITION, "detect cgroups", "no cgroup file system is mounted");
    }
    throw new JrtException(ErrorKind.UNIMPLEMENTED, "detect cgroups", "not built yet");
  }
}
