package io.jrt.linux.netlink;

import io.jrt.linux.Errno;
import io.jrt.linux.Kernel;
import io.jrt.linux.KernelException;

/** Packet filter rules of one network namespace: that of the thread which opened it. */
public final class NfTables implements AutoCloseable {
  private static final int BATCH_BEGIN = 0x10;
  private static final int BATCH_END = 0x11;
  private static final int SUBSYSTEM = 10;
  private static final int GET_TABLE = SUBSYSTEM << 8 | 1;

  private final NetlinkConnection connection;

  private NfTables(NetlinkConnection connection) {
    this.connection = connection;
  }

  /** Opens it for the calling thread's network namespace. */
  public static NfTables open(Kernel kernel) {
    return new NfTables(NetlinkConnection.open(kernel, NetlinkConnection.NETFILTER));
  }

  /**
   * Makes all changes of the transaction, or none.
   *
   * @throws KernelException naming the first change that was refused
   */
  public void commit(NftTransaction transaction) {
    if (!transaction.isEmpty()) {
      connection.transact(
          transaction.messages(), mark("begin", BATCH_BEGIN), mark("end", BATCH_END));
    }
  }

  /** Whether the table exists. */
  public boolean hasTable(int family, String name) {
    NetlinkMessage request =
        new NetlinkMessage(
                "nf_tables get table " + name,
                GET_TABLE,
                NetlinkConnection.REQUEST | NetlinkConnection.ACK)
            .u8(family)
            .u8(0)
            .u16Be(0)
            .text(1, name);
    try {
      return !connection.call(request).isEmpty();
    } catch (KernelException e) {
      if (e.is(Errno.ENOENT)) {
        return false;
      }
      throw e;
    }
  }

  private static NetlinkMessage mark(String label, int type) {
    return new NetlinkMessage(
            "nf_tables " + label + " transaction", type, NetlinkConnection.REQUEST)
        .u8(0)
        .u8(0)
        .u16Be(SUBSYSTEM);
  }

  /** Whether a conversation broke off in the middle; it must be opened anew then. */
  public boolean isBroken() {
    return connection.isBroken();
  }

  @Override
  public void close() {
    connection.close();
  }
}
