package io.jrt.server;

import io.jrt.server.config.DaemonConfig;
import java.nio.file.Path;

/**
 * What sets the names of one daemon's things apart from those of another on the same machine. It
 * follows from the root directory, so it is the same after every start.
 *
 * @param id 1 to 8 lower-case letters and digits
 */
record Instance(String id) {

  static Instance of(Path root) {
    if (root.equals(DaemonConfig.DEFAULT.root())) {
      return new Instance("jrt");
    }
    long hash = Integer.toUnsignedLong(root.toAbsolutePath().normalize().toString().hashCode());
    return new Instance(Long.toString(hash, Character.MAX_RADIX));
  }

  /** The name of the cgroup below which all of the daemon's own lies. */
  String cgroup() {
    return id.equals("jrt") ? "jrt" : "jrt-" + id;
  }
}
