package io.jrt.linux.netlink;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.Consumer;

/**
 * A step of an nf_tables rule. Steps run in order; one that compares and does not match ends the
 * rule. Values travel in registers: {@code r(0)} to {@code r(15)}, four bytes each; a longer value
 * takes several in a row, and so does a key made of several values.
 */
public final class NftExpression {
  /** Result of {@link #fibDestinationType}: an address of this host. */
  public static final byte[] LOCAL = host32(2);

  /** Bit of {@link #ctStatus}: the destination was translated. */
  public static final int STATUS_DNAT = 1 << 5;

  private final String name;
  private final Consumer<NetlinkMessage> data;

  private NftExpression(String name, Consumer<NetlinkMessage> data) {
    this.name = name;
    this.data = data;
  }

  void write(NetlinkMessage rule) {
    rule.nest(1, element -> element.text(1, name).nest(2, data));
  }

  /** A fact of the packet that is not in its bytes. */
  public enum Meta {
    PROTOCOL(1),
    IIFNAME(6),
    OIFNAME(7),
    NFPROTO(15),
    L4PROTO(16);

    private final int key;

    Meta(int key) {
      this.key = key;
    }
  }

  /** Where an offset in the packet counts from. */
  public enum Base {
    LINK(0),
    NETWORK(1),
    TRANSPORT(2);

    private final int number;

    Base(int number) {
      this.number = number;
    }
  }

  /** The number of a 32-bit register in the protocol. */
  private static int register(int r) {
    if (r < 0 || r > 15) {
      throw new IllegalArgumentException("register " + r);
    }
    return 8 + r;
  }

  /** Loads a fact about the packet; names take four registers. */
  public static NftExpression meta(Meta what, int r) {
    return new NftExpression(
        "meta", m -> m.attribute32Be(2, what.key).attribute32Be(1, register(r)));
  }

  /** Loads bytes of the packet. */
  public static NftExpression payload(Base base, int offset, int length, int r) {
    return new NftExpression(
        "payload",
        m ->
            m.attribute32Be(1, register(r))
                .attribute32Be(2, base.number)
                .attribute32Be(3, offset)
                .attribute32Be(4, length));
  }

  /** Goes on only if the value is equal. */
  public static NftExpression equal(int r, byte[] value) {
    return compare(r, 0, value);
  }

  /** Goes on only if the value differs. */
  public static NftExpression notEqual(int r, byte[] value) {
    return compare(r, 1, value);
  }

  private static NftExpression compare(int r, int operation, byte[] value) {
    return new NftExpression(
        "cmp",
        m ->
            m.attribute32Be(1, register(r))
                .attribute32Be(2, operation)
                .nest(3, d -> d.bytes(1, value)));
  }

  /** Keeps only the bits of the mask. */
  public static NftExpression mask(int r, byte[] mask) {
    return new NftExpression(
        "bitwise",
        m ->
            m.attribute32Be(1, register(r))
                .attribute32Be(2, register(r))
                .attribute32Be(3, mask.length)
                .nest(4, d -> d.bytes(1, mask))
                .nest(5, d -> d.bytes(1, new byte[mask.length])));
  }

  /** Goes on only if the key is in the set. */
  public static NftExpression lookup(String set, int r) {
    return new NftExpression("lookup", m -> m.text(1, set).attribute32Be(2, register(r)));
  }

  /** Goes on only if the key is not in the set. */
  public static NftExpression missing(String set, int r) {
    return new NftExpression(
        "lookup", m -> m.text(1, set).attribute32Be(2, register(r)).attribute32Be(5, 1));
  }

  /** Goes on only if the key is in the map, with its value loaded. */
  public static NftExpression map(String map, int r, int value) {
    return new NftExpression(
        "lookup",
        m -> m.text(1, map).attribute32Be(2, register(r)).attribute32Be(3, register(value)));
  }

  /** Loads what kind of address the packet's destination is here, such as {@link #LOCAL}. */
  public static NftExpression fibDestinationType(int r) {
    return new NftExpression(
        "fib", m -> m.attribute32Be(1, register(r)).attribute32Be(2, 3).attribute32Be(3, 1 << 1));
  }

  /** Loads the status bits of the packet's connection. */
  public static NftExpression ctStatus(int r) {
    return new NftExpression("ct", m -> m.attribute32Be(2, 2).attribute32Be(1, register(r)));
  }

  /** Loads the state bits of the packet's connection. */
  public static NftExpression ctState(int r) {
    return new NftExpression("ct", m -> m.attribute32Be(2, 0).attribute32Be(1, register(r)));
  }

  /** Loads the destination port that the connection's first packet came with. */
  public static NftExpression ctOriginalDestinationPort(int r) {
    return new NftExpression(
        "ct", m -> m.attribute32Be(2, 12).attribute32Be(1, register(r)).attribute8(3, 0));
  }

  /** Translates the destination; a final step. */
  public static NftExpression dnat(int family, int address, int port) {
    return new NftExpression(
        "nat",
        m ->
            m.attribute32Be(1, 1)
                .attribute32Be(2, family)
                .attribute32Be(3, register(address))
                .attribute32Be(5, register(port)));
  }

  /** Translates the source to the address of the interface the packet leaves by; a final step. */
  public static NftExpression masquerade() {
    return new NftExpression("masq", m -> {});
  }

  public static NftExpression drop() {
    return verdict(0, "");
  }

  public static NftExpression accept() {
    return verdict(1, "");
  }

  /** Ends this chain, as if no rule of it matched. */
  public static NftExpression leave() {
    return verdict(-5, "");
  }

  /** Goes on in another chain and comes back after it. */
  public static NftExpression jump(String chain) {
    return verdict(-3, chain);
  }

  private static NftExpression verdict(int code, String chain) {
    return new NftExpression(
        "immediate",
        m ->
            m.attribute32Be(1, 0)
                .nest(
                    2,
                    d ->
                        d.nest(
                            2,
                            v -> {
                              v.attribute32Be(1, code);
                              if (!chain.isEmpty()) {
                                v.text(2, chain);
                              }
                            })));
  }

  /** An interface name as rules compare it: 16 bytes. */
  public static byte[] name(String interfaceName) {
    return Arrays.copyOf(interfaceName.getBytes(StandardCharsets.UTF_8), 16);
  }

  /** Four bytes in the machine's order, as flags and kinds are compared. */
  public static byte[] host32(int value) {
    return ByteBuffer.allocate(4).order(ByteOrder.nativeOrder()).putInt(value).array();
  }
}
