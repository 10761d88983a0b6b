package io.jrt.volumes;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;

/** Where mounts go in a container: cleaned, and in the order in which they must be attached. */
final class Destinations {
  private static final String STEP = "check mounts";
  private static final int MAX_LENGTH = 4095;

  private Destinations() {}

  /**
   * The path without empty parts, {@code .} and {@code ..}; what would lead above the root stays at
   * it. This is for order and for people: the launcher resolves the path below the root file system
   * whatever it says.
   */
  static String clean(String destination) {
    if (!destination.startsWith("/") || destination.indexOf('\0') >= 0) {
      throw new JrtException(
          ErrorKind.INVALID,
          STEP,
          "mount destination \"%s\" is no absolute path".formatted(destination.replace('\0', '?')));
    }
    Deque<String> parts = new ArrayDeque<>();
    for (String part : destination.split("/")) {
      switch (part) {
        case "", "." -> {}
        case ".." -> parts.pollLast();
        default -> parts.addLast(part);
      }
    }
    String clean = "/" + String.join("/", parts);
    if (clean.equals("/")) {
      throw new JrtException(
          ErrorKind.INVALID,
          STEP,
          "mount destination \"%s\" is the root directory".formatted(destination));
    }
    if (clean.length() > MAX_LENGTH) {
      throw new JrtException(ErrorKind.INVALID, STEP, "mount destination is too long");
    }
    return clean;
  }

  /** Parents before what lies in them; otherwise as given. */
  static List<MountRequest> ordered(List<MountRequest> requests) {
    List<MountRequest> ordered = new ArrayList<>();
    for (MountRequest r : requests) {
      ordered.add(
          new MountRequest(
              r.source(),
              clean(r.destination()),
              r.readOnly(),
              r.recursiveReadOnly(),
              r.propagation(),
              r.relabel(),
              r.idMapped(),
              r.options()));
    }
    ordered.sort(
        Comparator.comparingLong(r -> r.destination().chars().filter(c -> c == '/').count()));
    return ordered;
  }
}
