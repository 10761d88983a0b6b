package io.jrt.security;

import java.util.List;

/**
 * What a pod says about a container's capabilities. Names come with or without {@code CAP_}, in any
 * case; {@code ALL} stands for every capability.
 *
 * @param privileged starts from every capability instead of the default fourteen
 * @param add added to the starting set, after the drops
 * @param drop removed from the starting set
 * @param ambient kept by a program without file capabilities when the user is not root
 */
public record CapabilityRequest(
    boolean privileged, List<String> add, List<String> drop, List<String> ambient) {

  /** The default set, nothing added or dropped. */
  public static final CapabilityRequest DEFAULT =
      new CapabilityRequest(false, List.of(), List.of(), List.of());

  public CapabilityRequest {
    add = List.copyOf(add);
    drop = List.copyOf(drop);
    ambient = List.copyOf(ambient);
  }
}
