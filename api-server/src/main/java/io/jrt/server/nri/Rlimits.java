package io.jrt.server.nri;

import io.jrt.core.launch.Rlimit;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.nri.v1alpha1.POSIXRlimit;
import java.util.List;

/** Limits of processes by their names in POSIX, in the order of the kernel's numbers. */
final class Rlimits {
  private static final List<String> NAMES =
      List.of(
          "RLIMIT_CPU",
          "RLIMIT_FSIZE",
          "RLIMIT_DATA",
          "RLIMIT_STACK",
          "RLIMIT_CORE",
          "RLIMIT_RSS",
          "RLIMIT_NPROC",
          "RLIMIT_NOFILE",
          "RLIMIT_MEMLOCK",
          "RLIMIT_AS",
          "RLIMIT_LOCKS",
          "RLIMIT_SIGPENDING",
          "RLIMIT_MSGQUEUE",
          "RLIMIT_NICE",
          "RLIMIT_RTPRIO",
          "RLIMIT_RTTIME");

  private Rlimits() {}

  static String name(int resource) {
    return NAMES.get(resource);
  }

  static Rlimit of(POSIXRlimit wanted, String plugin) {
    int resource = NAMES.indexOf(wanted.getType());
    if (resource < 0) {
      throw new JrtException(
          ErrorKind.INVALID,
          NriPlugins.STEP,
          "nri plugin %s asks for the limit \"%s\", which there is not"
              .formatted(plugin, wanted.getType()));
    }
    return new Rlimit(resource, wanted.getSoft(), wanted.getHard());
  }
}
