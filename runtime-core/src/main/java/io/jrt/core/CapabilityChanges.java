package io.jrt.core;

import java.util.List;

/**
 * What to add to and take from the default capabilities; with or without {@code CAP_}, {@code ALL}
 * is allowed.
 */
public record CapabilityChanges(List<String> add, List<String> drop, List<String> addAmbient) {
  public static final CapabilityChanges NONE =
      new CapabilityChanges(List.of(), List.of(), List.of());

  public CapabilityChanges {
    add = List.copyOf(add);
    drop = List.copyOf(drop);
    addAmbient = List.copyOf(addAmbient);
  }
}
