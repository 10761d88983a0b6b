package io.jrt.network;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.math.BigInteger;

/**
 * An address with a prefix length: a range ({@code 10.88.0.0/16}) or an interface's address in its
 * range ({@code 10.88.0.2/16}).
 */
public record Cidr(IpAddress address, int prefix) {
  public Cidr {
    if (prefix < 0 || prefix > address.bits()) {
      throw new JrtException(
          ErrorKind.INVALID,
          "read network address",
          "prefix length " + prefix + " does not fit " + address);
    }
  }

  /** Reads {@code address/length}; anything else is {@link ErrorKind#INVALID}. */
  public static Cidr parse(String text) {
    int slash = text.indexOf('/');
    if (slash < 0 || !text.substring(slash + 1).matches("[0-9]{1,3}")) {
      throw new JrtException(
          ErrorKind.INVALID, "read network address", "\"" + text + "\" is not an address range");
    }
    return new Cidr(
        IpAddress.parse(text.substring(0, slash)), Integer.parseInt(text.substring(slash + 1)));
  }

  public boolean isV6() {
    return address.isV6();
  }

  /** The range without host bits. */
  public Cidr network() {
    byte[] bytes = address.bytes();
    for (int bit = prefix; bit < bytes.length * 8; bit++) {
      bytes[bit / 8] &= (byte) ~(0x80 >> (bit % 8));
    }
    return new Cidr(IpAddress.of(bytes), prefix);
  }

  /** Whether the address lies in the range. */
  public boolean contains(IpAddress ip) {
    return ip.bits() == address.bits()
        && new Cidr(ip, prefix).network().address().equals(network().address());
  }

  /** Number of addresses in the range. */
  public BigInteger size() {
    return BigInteger.ONE.shiftLeft(address.bits() - prefix);
  }

  /** The address at a distance from the start of the range. */
  public IpAddress at(BigInteger offset) {
    byte[] start = network().address().bytes();
    byte[] sum = new BigInteger(1, start).add(offset).toByteArray();
    byte[] out = new byte[start.length];
    int length = Math.min(sum.length, out.length);
    System.arraycopy(sum, sum.length - length, out, out.length - length, length);
    return IpAddress.of(out);
  }

  /** The distance of an address from the start of the range. */
  public BigInteger offsetOf(IpAddress ip) {
    return new BigInteger(1, ip.bytes()).subtract(new BigInteger(1, network().address().bytes()));
  }

  @Override
  public String toString() {
    return address + "/" + prefix;
  }
}
