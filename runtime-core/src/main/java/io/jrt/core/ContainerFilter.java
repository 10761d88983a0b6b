package io.jrt.core;

import java.util.Map;
import java.util.Optional;

/**
 * Which containers to list: all conditions given must hold.
 *
 * @param id an id or its beginning; empty for any
 */
public record ContainerFilter(
    String id, String podId, Optional<StateName> state, Map<String, String> labels) {
  public static final ContainerFilter ALL = new ContainerFilter("", "", Optional.empty(), Map.of());

  public ContainerFilter {
    labels = Map.copyOf(labels);
  }

  /** The cases of {@link ContainerState} without their data. */
  public enum StateName {
    CREATED,
    RUNNING,
    EXITED,
    UNKNOWN;

    public static StateName of(ContainerState state) {
      return switch (state) {
        case ContainerState.Created _ -> CREATED;
        case ContainerState.Running _ -> RUNNING;
        case ContainerState.Exited _ -> EXITED;
        case ContainerState.Unknown _ -> UNKNOWN;
      };
    }
  }
}
