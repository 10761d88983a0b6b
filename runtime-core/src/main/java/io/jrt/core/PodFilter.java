package io.jrt.core;

import java.util.Map;
import java.util.Optional;

/**
 * Which pods to list: all conditions given must hold.
 *
 * @param id an id or its beginning; empty for any
 */
public record PodFilter(String id, Optional<PodState> state, Map<String, String> labels) {
  public static final PodFilter ALL = new PodFilter("", Optional.empty(), Map.of());

  public PodFilter {
    labels = Map.copyOf(labels);
  }
}
