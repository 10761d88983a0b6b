package io.jrt.security;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.ToLongFunction;

/** The rules of {@code user_namespaces(7)} for a map, checked before the kernel says EINVAL. */
final class IdMapCheck {
  private static final String STEP = "check user namespace";

  /** 4294967295 is (uid_t)-1 and can never be mapped. */
  private static final long ID_LIMIT = 0xFFFF_FFFFL;

  private IdMapCheck() {}

  static List<IdMap> checked(String kind, List<IdMap> maps) {
    if (maps.isEmpty()) {
      throw invalid("the " + kind + " map of the user namespace is empty");
    }
    if (maps.size() > UserNamespaceMaps.MAX_LINES) {
      throw invalid(
          "the %s map has %d lines, the kernel takes %d"
              .formatted(kind, maps.size(), UserNamespaceMaps.MAX_LINES));
    }
    for (IdMap map : maps) {
      if (map.length() < 1) {
        throw invalid("%s map %s has no length".formatted(kind, show(map)));
      }
      checkRange(kind, "container", map, map.containerId());
      checkRange(kind, "host", map, map.hostId());
    }
    checkOverlap(kind, "container", maps, IdMap::containerId);
    checkOverlap(kind, "host", maps, IdMap::hostId);
    if (toHost(maps, 0) < 0) {
      throw invalid("the %s map does not map the container's id 0".formatted(kind));
    }
    return List.copyOf(maps);
  }

  static long toHost(List<IdMap> maps, long id) {
    for (IdMap map : maps) {
      long host = map.toHost(id);
      if (host >= 0) {
        return host;
      }
    }
    return -1;
  }

  static String text(List<IdMap> maps) {
    StringBuilder text = new StringBuilder();
    for (IdMap map : maps) {
      text.append(map.containerId()).append(' ');
      text.append(map.hostId()).append(' ');
      text.append(map.length()).append('\n');
    }
    return text.toString();
  }

  private static void checkRange(String kind, String side, IdMap map, long first) {
    if (first < 0 || first + map.length() > ID_LIMIT) {
      throw invalid(
          "%s map %s leaves the range of %s ids 0-%d"
              .formatted(kind, show(map), side, ID_LIMIT - 1));
    }
  }

  private static void checkOverlap(
      String kind, String side, List<IdMap> maps, ToLongFunction<IdMap> first) {
    List<IdMap> sorted = new ArrayList<>(maps);
    sorted.sort(Comparator.comparingLong(first));
    for (int i = 1; i < sorted.size(); i++) {
      IdMap before = sorted.get(i - 1);
      IdMap after = sorted.get(i);
      if (first.applyAsLong(before) + before.length() > first.applyAsLong(after)) {
        throw invalid(
            "%s maps %s and %s overlap in %s ids".formatted(kind, show(before), show(after), side));
      }
    }
  }

  private static String show(IdMap map) {
    return map.containerId() + ":" + map.hostId() + ":" + map.length();
  }

  private static JrtException invalid(String message) {
    return new JrtException(ErrorKind.INVALID, STEP, message);
  }
}
