package io.jrt.core;

import java.util.List;

/** The user namespace asked for; only {@code POD} and {@code NODE} are possible. */
public record UserNamespaceConfig(NamespaceMode mode, List<IdMapping> uids, List<IdMapping> gids) {
  public UserNamespaceConfig {
    uids = List.copyOf(uids);
    gids = List.copyOf(gids);
  }
}
