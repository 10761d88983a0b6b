package io.jrt.core.cgroup;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.util.List;
import java.util.stream.Stream;

/** The checked form of a cgroup path: {@code /a/b}, names without {@code .}, {@code ..} or NUL. */
final class CgroupPath {
  private CgroupPath() {}

  /** The path with single slashes and none at the end. */
  static String check(String path) {
    return "/" + String.join("/", names(path));
  }

  static List<String> names(String path) {
    if (!path.startsWith("/")) {
      throw invalid(path, "is not absolute");
    }
    List<String> names = Stream.of(path.split("/", -1)).filter(n -> !n.isEmpty()).toList();
    for (String name : names) {
      if (name.equals(".") || name.equals("..") || name.indexOf('\0') >= 0) {
        throw invalid(path, "has a name that is not allowed");
      }
      if (name.length() > 255) {
        throw invalid(path, "has a name of more than 255 characters");
      }
    }
    return names;
  }

  private static JrtException invalid(String path, String why) {
    return new JrtException(ErrorKind.INVALID, "cgroup path", "cgroup path " + path + " " + why);
  }
}
