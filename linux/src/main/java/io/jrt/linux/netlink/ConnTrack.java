package io.jrt.linux.netlink;

import io.jrt.linux.Errno;
import io.jrt.linux.Kernel;
import io.jrt.linux.KernelException;
import java.util.OptionalInt;
import java.util.function.IntPredicate;

/**
 * The connections which one network namespace, that of the thread which opened it, keeps in mind
 * (ctnetlink).
 */
public final class ConnTrack implements AutoCloseable {
  /** The protocol's number of IANA. */
  public static final int UDP = 17;

  private static final int SUBSYSTEM = 1;
  private static final int GET = SUBSYSTEM << 8 | 1;
  private static final int DELETE = SUBSYSTEM << 8 | 2;

  /** nfgenmsg: family, version, resource. */
  private static final int FIXED = 4;

  private static final int TUPLE_ORIGINAL = 1;
  private static final int ID = 12;
  private static final int ZONE = 18;

  private static final int TUPLE_PROTOCOL = 2;
  private static final int PROTOCOL_NUMBER = 1;
  private static final int PROTOCOL_DESTINATION_PORT = 3;

  private final NetlinkConnection connection;

  private ConnTrack(NetlinkConnection connection) {
    this.connection = connection;
  }

  /** Opens it for the calling thread's network namespace. */
  public static ConnTrack open(Kernel kernel) {
    return new ConnTrack(NetlinkConnection.open(kernel, NetlinkConnection.NETFILTER));
  }

  /**
   * Forgets connections, so that their next packet is looked at as the first of a new one.
   *
   * @param protocol of IANA
   * @param port whether the port to which the first packet went is meant
   * @return how many were forgotten
   * @throws KernelException EINVAL where the kernel has no ctnetlink
   */
  public int forget(int protocol, IntPredicate port) {
    int forgotten = 0;
    NetlinkMessage all =
        new NetlinkMessage(
                "conntrack list", GET, NetlinkConnection.REQUEST | NetlinkConnection.DUMP)
            .u8(0)
            .u8(0)
            .u16Be(0);
    for (NetlinkReply entry : connection.dump(all)) {
      Attributes attributes = entry.attributes(FIXED);
      Attributes to = attributes.nested(TUPLE_ORIGINAL).nested(TUPLE_PROTOCOL);
      OptionalInt destination = u16Be(to, PROTOCOL_DESTINATION_PORT);
      boolean meant =
          to.bytes(PROTOCOL_NUMBER).filter(number -> (number[0] & 0xff) == protocol).isPresent()
              && destination.isPresent()
              && port.test(destination.getAsInt());
      if (meant && delete(entry.u8(0), attributes)) {
        forgotten++;
      }
    }
    return forgotten;
  }

  private boolean delete(int family, Attributes entry) {
    NetlinkMessage request =
        new NetlinkMessage(
                "conntrack delete", DELETE, NetlinkConnection.REQUEST | NetlinkConnection.ACK)
            .u8(family)
            .u8(0)
            .u16Be(0);
    entry
        .bytes(TUPLE_ORIGINAL)
        .ifPresent(tuple -> request.bytes(TUPLE_ORIGINAL | NetlinkMessage.NESTED, tuple));
    entry.bytes(ID).ifPresent(id -> request.bytes(ID, id));
    entry.bytes(ZONE).ifPresent(zone -> request.bytes(ZONE, zone));
    try {
      connection.call(request);
      return true;
    } catch (KernelException e) {
      if (e.is(Errno.ENOENT)) {
        return false; // it ended by itself
      }
      throw e;
    }
  }

  private static OptionalInt u16Be(Attributes attributes, int type) {
    return attributes.bytes(type).filter(raw -> raw.length >= 2).stream()
        .mapToInt(raw -> ((raw[0] & 0xff) << 8) | (raw[1] & 0xff))
        .findFirst();
  }

  @Override
  public void close() {
    connection.close();
  }
}
