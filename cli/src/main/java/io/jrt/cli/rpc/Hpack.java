package io.jrt.cli.rpc;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/**
 * Header compression (RFC 7541) between peers that agreed on a dynamic table of size zero: what is
 * written is literal, what is read may use the static table and Huffman codes.
 */
final class Hpack {
  /** The code length of each byte and of end-of-string, in base 36; the codes are canonical. */
  private static final String HUFFMAN_LENGTHS =
      "dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6cad67777777777777777777777878d"
          + "jde6f56565666577666567655677777fbedskmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmolmnnllml"
          + "mnmnnkmmmnmmnqqkjmnmpqqqrrqopjlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrqu";

  private static final int END_OF_STRING = 256;
  private static final int STATUS_FIRST = 8;
  private static final String[] STATUS = {"200", "204", "206", "304", "400", "404", "500"};
  private static final int STATIC_ENTRIES = 61;

  private Hpack() {}

  /** Adds one header, never indexed. */
  static void write(ByteArrayOutputStream out, String name, String value) {
    out.write(0);
    writeString(out, name);
    writeString(out, value);
  }

  private static void writeString(ByteArrayOutputStream out, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    int length = bytes.length;
    if (length < 127) {
      out.write(length);
    } else {
      out.write(127);
      int rest = length - 127;
      while (rest >= 128) {
        out.write(rest % 128 + 128);
        rest /= 128;
      }
      out.write(rest);
    }
    out.writeBytes(bytes);
  }

  /**
   * Reads a whole header block. Headers of the static table other than the status are of no use to
   * a gRPC client and are left out.
   */
  static Map<String, String> read(ByteBuffer block) throws ProtocolException {
    Map<String, String> headers = new HashMap<>();
    while (block.hasRemaining()) {
      int first = block.get(block.position()) & 0xff;
      if ((first & 0x80) != 0) {
        int index = readInt(block, 7);
        if (index >= STATUS_FIRST && index < STATUS_FIRST + STATUS.length) {
          headers.put(":status", STATUS[index - STATUS_FIRST]);
        } else if (index == 0 || index > STATIC_ENTRIES) {
          throw new ProtocolException("header index " + index + " outside the static table");
        }
      } else if ((first & 0xe0) == 0x20) {
        int size = readInt(block, 5);
        if (size != 0) {
          throw new ProtocolException("dynamic table of " + size + " bytes after zero was agreed");
        }
      } else {
        int index = readInt(block, (first & 0x40) != 0 ? 6 : 4);
        String name =
            switch (index) {
              case 0 -> readString(block);
              case 8, 9, 10, 11, 12, 13, 14 -> ":status";
              default -> "";
            };
        String value = readString(block);
        if (!name.isEmpty()) {
          headers.put(name, value);
        }
      }
    }
    return headers;
  }

  private static int readInt(ByteBuffer in, int prefix) throws ProtocolException {
    int mask = (1 << prefix) - 1;
    int value = next(in) & mask;
    if (value < mask) {
      return value;
    }
    for (int shift = 0; shift <= 21; shift += 7) {
      int b = next(in);
      value += (b & 0x7f) << shift;
      if ((b & 0x80) == 0) {
        return value;
      }
    }
    throw new ProtocolException("header integer too long");
  }

  private static String readString(ByteBuffer in) throws ProtocolException {
    if (!in.hasRemaining()) {
      throw new ProtocolException("header block ends inside a header");
    }
    boolean huffman = (in.get(in.position()) & 0x80) != 0;
    int length = readInt(in, 7);
    if (length > in.remaining()) {
      throw new ProtocolException("header string of " + length + " bytes does not fit its block");
    }
    byte[] bytes = new byte[length];
    in.get(bytes);
    return new String(huffman ? Huffman.decode(bytes) : bytes, StandardCharsets.UTF_8);
  }

  private static int next(ByteBuffer in) throws ProtocolException {
    if (!in.hasRemaining()) {
      throw new ProtocolException("header block ends inside a header");
    }
    return in.get() & 0xff;
  }

  /** The canonical code: for each length, the first code and the symbols in order. */
  private static final class Huffman {
    private static final int MAX_LENGTH = 30;
    private static final int[] FIRST_CODE = new int[MAX_LENGTH + 1];
    private static final int[] FIRST_SYMBOL = new int[MAX_LENGTH + 1];
    private static final int[] COUNT = new int[MAX_LENGTH + 1];
    private static final int[] SYMBOLS = new int[HUFFMAN_LENGTHS.length()];

    static {
      int next = 0;
      int code = 0;
      for (int length = 1; length <= MAX_LENGTH; length++) {
        FIRST_CODE[length] = code;
        FIRST_SYMBOL[length] = next;
        for (int symbol = 0; symbol < SYMBOLS.length; symbol++) {
          if (Character.digit(HUFFMAN_LENGTHS.charAt(symbol), 36) == length) {
            SYMBOLS[next++] = symbol;
            COUNT[length]++;
          }
        }
        code = (code + COUNT[length]) << 1;
      }
    }

    static byte[] decode(byte[] bytes) throws ProtocolException {
      ByteArrayOutputStream out = new ByteArrayOutputStream(bytes.length * 2);
      int code = 0;
      int length = 0;
      for (byte b : bytes) {
        for (int bit = 7; bit >= 0; bit--) {
          code = code << 1 | (b >> bit & 1);
          length++;
          if (length > MAX_LENGTH) {
            throw new ProtocolException("no such Huffman code");
          }
          int offset = code - FIRST_CODE[length];
          if (offset >= 0 && offset < COUNT[length]) {
            int symbol = SYMBOLS[FIRST_SYMBOL[length] + offset];
            if (symbol == END_OF_STRING) {
              throw new ProtocolException("end-of-string inside a Huffman string");
            }
            out.write(symbol);
            code = 0;
            length = 0;
          }
        }
      }
      if (length > 7 || code != (1 << length) - 1) {
        throw new ProtocolException("Huffman string badly padded");
      }
      return out.toByteArray();
    }
  }
}
