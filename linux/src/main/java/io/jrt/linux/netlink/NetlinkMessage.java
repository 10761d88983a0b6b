package io.jrt.linux.netlink;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.Consumer;

/**
 * A netlink message being written: the header of netlink(7), a fixed header of the family, and
 * attributes, which may nest. Lengths and padding are filled in here; sequence numbers when it is
 * sent. Numbers are in the machine's byte order unless the method says {@code Be}.
 */
public final class NetlinkMessage {
  static final int HEADER = 16;

  /** The attribute holds attributes. */
  static final int NESTED = 1 << 15;

  private final String label;
  private ByteBuffer buffer;

  /**
   * @param label what it does to what, for errors, such as {@code add link jrt0}
   * @param type the family's message number
   * @param flags {@code NLM_F_*} bits
   */
  public NetlinkMessage(String label, int type, int flags) {
    this.label = label;
    this.buffer = ByteBuffer.allocate(256).order(ByteOrder.nativeOrder());
    buffer.putInt(0).putShort((short) type).putShort((short) flags).putInt(0).putInt(0);
  }

  String label() {
    return label;
  }

  int flags() {
    return buffer.getShort(6) & 0xffff;
  }

  /** Part of the family's fixed header. */
  public NetlinkMessage u8(int value) {
    room(1).put((byte) value);
    return this;
  }

  /** Part of the family's fixed header. */
  public NetlinkMessage u16(int value) {
    room(2).putShort((short) value);
    return this;
  }

  /** Part of the family's fixed header, in network order. */
  public NetlinkMessage u16Be(int value) {
    room(2).put((byte) (value >> 8)).put((byte) value);
    return this;
  }

  /** Part of the family's fixed header. */
  public NetlinkMessage u32(int value) {
    room(4).putInt(value);
    return this;
  }

  /** An attribute of raw bytes. */
  public NetlinkMessage bytes(int type, byte[] value) {
    begin(type, value.length).put(value);
    return pad();
  }

  /** An attribute of one byte. */
  public NetlinkMessage attribute8(int type, int value) {
    begin(type, 1).put((byte) value);
    return pad();
  }

  /** An attribute of two bytes. */
  public NetlinkMessage attribute16(int type, int value) {
    begin(type, 2).putShort((short) value);
    return pad();
  }

  /** An attribute of four bytes. */
  public NetlinkMessage attribute32(int type, int value) {
    begin(type, 4).putInt(value);
    return pad();
  }

  /** An attribute of four bytes in network order. */
  public NetlinkMessage attribute32Be(int type, int value) {
    return bytes(
        type,
        new byte[] {(byte) (value >> 24), (byte) (value >> 16), (byte) (value >> 8), (byte) value});
  }

  /** An attribute that is a string with its final NUL. */
  public NetlinkMessage text(int type, String value) {
    byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
    return bytes(type, Arrays.copyOf(utf8, utf8.length + 1));
  }

  /** An attribute that holds what {@code inner} writes. */
  public NetlinkMessage nest(int type, Consumer<NetlinkMessage> inner) {
    int start = buffer.position();
    room(4).putShort((short) 0).putShort((short) (type | NESTED));
    inner.accept(this);
    int length = buffer.position() - start;
    if (length > 0xffff) {
      throw new IllegalArgumentException(label + ": attribute " + type + " is too long: " + length);
    }
    buffer.putShort(start, (short) length);
    return this;
  }

  int size() {
    return buffer.position();
  }

  /** Appends the finished message to a datagram. */
  void writeTo(ByteBuffer datagram, int sequence) {
    int length = buffer.position();
    buffer.putInt(0, length).putInt(8, sequence);
    datagram.put(buffer.array(), 0, length);
  }

  private ByteBuffer begin(int type, int length) {
    return room(4 + length + 3).putShort((short) (4 + length)).putShort((short) type);
  }

  private NetlinkMessage pad() {
    while (buffer.position() % 4 != 0) {
      buffer.put((byte) 0);
    }
    return this;
  }

  private ByteBuffer room(int bytes) {
    if (buffer.remaining() < bytes) {
      ByteBuffer larger =
          ByteBuffer.allocate(Math.max(buffer.capacity() * 2, buffer.position() + bytes))
              .order(ByteOrder.nativeOrder());
      buffer = larger.put(buffer.flip());
    }
    return buffer;
  }
}
