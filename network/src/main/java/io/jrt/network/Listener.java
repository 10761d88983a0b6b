package io.jrt.network;

/**
 * A socket of the host on which something listens.
 *
 * @param address the address it is bound to, which may be the any-address
 * @param inode the socket's inode number
 */
record Listener(PortMapping.Protocol protocol, IpAddress address, int port, long inode) {

  /**
   * Whether a host port would take connections away from it. A socket bound to a loopback address
   * does not stand in the way of a port of all addresses: it is meant for the host alone.
   */
  boolean blocks(PortMapping mapping) {
    if (protocol != mapping.protocol() || port != mapping.hostPort()) {
      return false;
    }
    if (mapping.hostIp().isEmpty()) {
      return address.isAny() || !address.toInetAddress().isLoopbackAddress();
    }
    IpAddress wanted = IpAddress.parse(mapping.hostIp());
    return address.equals(wanted) || (address.isAny() && (address.isV6() || !wanted.isV6()));
  }
}
