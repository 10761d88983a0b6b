package io.jrt.network;

import java.util.List;

/**
 * A pod's place in the pod network.
 *
 * @param sandboxId the sandbox
 * @param interfaceName the interface in the pod's namespace, usually {@code eth0}
 * @param ips the pod's addresses in canonical text (RFC 5952), in the provider's order; the first
 *     is the pod's main address. Never empty for a working network
 * @param mac the interface's hardware address, "" where unknown
 * @param mtu the interface's MTU in bytes, 0 where unknown
 */
public record Attachment(
    String sandboxId, String interfaceName, List<String> ips, String mac, int mtu) {
  public Attachment {
    ips = List.copyOf(ips);
  }
}
