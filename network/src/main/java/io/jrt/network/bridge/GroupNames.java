package io.jrt.network.bridge;

import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Reads the runtime groups of a pod from its labels. */
final class GroupNames {
  static final String DEFAULT = "default";

  private GroupNames() {}

  /** The groups in the label, separated by {@code .} or {@code ,}; without any, the default one. */
  static List<String> of(Map<String, String> labels, String label) {
    List<String> groups =
        Arrays.stream(labels.getOrDefault(label, "").split("[.,]"))
            .map(String::trim)
            .filter(group -> !group.isEmpty())
            .distinct()
            .toList();
    return groups.isEmpty() ? List.of(DEFAULT) : groups;
  }
}
