package io.jrt.network.bridge;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.network.Cidr;
import io.jrt.network.IpAddress;
import java.math.BigInteger;
import java.util.HashSet;
import java.util.Set;

/**
 * The addresses of one range. They are given out in turn, so that a released one rests as long as
 * possible before somebody else gets it. The first host address is the bridge's.
 */
final class AddressPool {
  private final Cidr range;
  private final BigInteger first;
  private final BigInteger end;
  private final Set<IpAddress> used = new HashSet<>();
  private BigInteger next;

  /**
   * @param range at least as large as a /30 (IPv4) or /126 (IPv6)
   */
  AddressPool(Cidr range) {
    this.range = range.network();
    if (range.address().bits() - range.prefix() < 2) {
      throw new JrtException(
          ErrorKind.INVALID, "start network", "address range " + range + " is too small for pods");
    }
    this.first = BigInteger.TWO; // after the network's and the bridge's address
    // IPv4's last address is the broadcast address; IPv6 has none but loses nothing by it.
    this.end = range.size().subtract(BigInteger.ONE);
    this.next = first;
  }

  Cidr range() {
    return range;
  }

  /** The bridge's address: the pods' way out. */
  IpAddress gateway() {
    return gateway(range);
  }

  /** The way out for a pod with such an address. */
  static IpAddress gateway(Cidr address) {
    return address.at(BigInteger.ONE);
  }

  synchronized boolean inUse() {
    return !used.isEmpty();
  }

  /** The address given out last, or the bridge's if none was. */
  synchronized IpAddress last() {
    return range.at(next.subtract(BigInteger.ONE));
  }

  /** Notes an address that is in use, if it is of this range. */
  synchronized void restore(IpAddress address) {
    if (range.contains(address)) {
      used.add(address);
    }
  }

  /** Goes on after this address, if it is of this range. */
  synchronized void continueAfter(IpAddress address) {
    if (range.contains(address)) {
      next = range.offsetOf(address).add(BigInteger.ONE);
    }
  }

  /** Takes a free address. */
  synchronized Cidr take() {
    BigInteger candidate = inRange(next);
    // One more step than there are used addresses must find a free one, or there is none.
    for (int i = 0; i <= used.size(); i++) {
      IpAddress address = range.at(candidate);
      candidate = inRange(candidate.add(BigInteger.ONE));
      if (used.add(address)) {
        next = candidate;
        return new Cidr(address, range.prefix());
      }
    }
    throw new JrtException(
        ErrorKind.EXHAUSTED,
        "attach network",
        "address range " + range + " has no free address",
        "configure a larger range, or remove pods",
        null);
  }

  synchronized void release(IpAddress address) {
    used.remove(address);
  }

  private BigInteger inRange(BigInteger offset) {
    return offset.compareTo(first) < 0 || offset.compareTo(end) >= 0 ? first : offset;
  }
}
