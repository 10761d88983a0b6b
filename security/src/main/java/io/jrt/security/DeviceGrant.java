package io.jrt.security;

import java.util.List;

/**
 * The devices of one container.
 *
 * @param nodes the files to be made, beyond none the caller has to know of itself
 * @param rules the device controller's rules, beginning with the one that denies all
 */
public record DeviceGrant(List<DeviceNode> nodes, List<DeviceRule> rules) {

  public DeviceGrant {
    nodes = List.copyOf(nodes);
    rules = List.copyOf(rules);
  }
}
