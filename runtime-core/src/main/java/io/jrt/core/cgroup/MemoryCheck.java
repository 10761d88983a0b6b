package io.jrt.core.cgroup;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;

/** Refuses a memory limit that would make the kernel kill at once. */
final class MemoryCheck {
  private MemoryCheck() {}

  /**
   * @param usage in bytes, without file pages, which the kernel would just drop
   */
  static void limitAboveUsage(CgroupDir dir, long limit, long usage) {
    if (limit > 0 && limit < usage) {
      throw new JrtException(
          ErrorKind.FAILED_PRECONDITION,
          "set cgroup limit",
          "memory limit %d of cgroup %s is below the %d bytes in use"
              .formatted(limit, dir.path(), usage));
    }
  }
}
