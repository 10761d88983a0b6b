package io.jrt.core.cgroup;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;

/** Names of systemd's slices: a dash in one stands for a level of the tree. */
final class Slices {
  static final String SUFFIX = ".slice";

  private Slices() {}

  /** Whether a cgroup path, or the name a kubelet gives, ends in a slice. */
  static boolean isSlice(String path) {
    return path.endsWith(SUFFIX);
  }

  /** The last name of a path. */
  static String last(String path) {
    return path.substring(path.lastIndexOf('/') + 1);
  }

  /**
   * Where a slice's cgroup is: {@code a-b.slice} is {@code /a.slice/a-b.slice}.
   *
   * @throws JrtException INVALID for what is no slice's name
   */
  static String expand(String slice) {
    String name = isSlice(slice) ? slice.substring(0, slice.length() - SUFFIX.length()) : "";
    if (name.isEmpty()
        || name.indexOf('/') >= 0
        || name.startsWith("-")
        || name.endsWith("-")
        || name.contains("--")) {
      throw new JrtException(
          ErrorKind.INVALID, "cgroup path", slice + " is not the name of a systemd slice");
    }
    StringBuilder path = new StringBuilder();
    for (int dash = name.indexOf('-'); dash >= 0; dash = name.indexOf('-', dash + 1)) {
      path.append('/').append(name, 0, dash).append(SUFFIX);
    }
    return CgroupPath.check(path.append('/').append(slice).toString());
  }
}
