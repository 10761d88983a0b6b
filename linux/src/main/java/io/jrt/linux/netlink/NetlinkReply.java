package io.jrt.linux.netlink;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** A message the kernel sent: the family's fixed header, then attributes. */
public final class NetlinkReply {
  private final int type;
  private final byte[] body;

  NetlinkReply(int type, byte[] body) {
    this.type = type;
    this.body = body;
  }

  /** The family's message number. */
  public int type() {
    return type;
  }

  /** A byte of the fixed header, unsigned. */
  public int u8(int offset) {
    return body[offset] & 0xff;
  }

  /** Four bytes of the fixed header. */
  public int u32(int offset) {
    return ByteBuffer.wrap(body).order(ByteOrder.nativeOrder()).getInt(offset);
  }

  /** The attributes after a fixed header of {@code fixed} bytes. */
  public Attributes attributes(int fixed) {
    return Attributes.parse(body, (fixed + 3) & ~3, body.length);
  }
}
