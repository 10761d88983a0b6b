package io.jrt.linux.netlink;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/** The attributes of a received message or of a nested attribute, by their number. */
public final class Attributes {
  private final Map<Integer, byte[]> values = new HashMap<>();

  /** Reads all of them; a malformed tail is left out. */
  static Attributes parse(byte[] bytes, int offset, int end) {
    Attributes attributes = new Attributes();
    ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
    int at = offset;
    while (at + 4 <= end) {
      int length = buffer.getShort(at) & 0xffff;
      int type = buffer.getShort(at + 2) & 0x3fff;
      if (length < 4 || at + length > end) {
        break;
      }
      byte[] value = new byte[length - 4];
      buffer.get(at + 4, value);
      attributes.values.put(type, value);
      at += (length + 3) & ~3;
    }
    return attributes;
  }

  public boolean has(int type) {
    return values.containsKey(type);
  }

  public Optional<byte[]> bytes(int type) {
    return Optional.ofNullable(values.get(type));
  }

  public Optional<String> text(int type) {
    return bytes(type)
        .map(
            raw -> {
              int end = 0;
              while (end < raw.length && raw[end] != 0) {
                end++;
              }
              return new String(raw, 0, end, StandardCharsets.UTF_8);
            });
  }

  public OptionalInt u32(int type) {
    byte[] raw = values.get(type);
    return raw == null || raw.length < 4
        ? OptionalInt.empty()
        : OptionalInt.of(ByteBuffer.wrap(raw).order(ByteOrder.nativeOrder()).getInt());
  }

  /** The attributes inside an attribute; none if it is missing. */
  public Attributes nested(int type) {
    byte[] raw = values.get(type);
    return raw == null ? new Attributes() : parse(raw, 0, raw.length);
  }
}
