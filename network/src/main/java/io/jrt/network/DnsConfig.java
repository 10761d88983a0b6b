package io.jrt.network;

import java.util.List;

/**
 * What a pod's resolver is told.
 *
 * @param servers addresses of name servers
 * @param searches domains appended to short names
 * @param options resolver options such as {@code ndots:5}
 */
public record DnsConfig(List<String> servers, List<String> searches, List<String> options) {
  /** Nothing is asked for: the pod gets the host's resolver configuration. */
  public static final DnsConfig NONE = new DnsConfig(List.of(), List.of(), List.of());

  public DnsConfig {
    servers = List.copyOf(servers);
    searches = List.copyOf(searches);
    options = List.copyOf(options);
  }

  /** Whether nothing is asked for. */
  public boolean isEmpty() {
    return servers.isEmpty() && searches.isEmpty() && options.isEmpty();
  }
}
