package io.jrt.network.bridge;

import io.jrt.network.IpAddress;

/**
 * Hardware addresses made from IP addresses: an address that is used again comes with the hardware
 * address that its neighbours still remember for it.
 */
final class Macs {
  private Macs() {}

  /** A locally administered unicast address that carries the last four bytes of the IP address. */
  static byte[] of(IpAddress ip) {
    byte[] bytes = ip.bytes();
    byte[] mac = new byte[6];
    mac[0] = 0x0a;
    mac[1] = (byte) (ip.isV6() ? 0x6a : 0x58);
    System.arraycopy(bytes, bytes.length - 4, mac, 2, 4);
    return mac;
  }
}
