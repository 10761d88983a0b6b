package io.jrt.server.nri;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;

/**
 * A message of ttrpc: ten bytes of head, then its data.
 *
 * @param stream odd, the number of the call
 */
record Frame(int stream, byte type, byte flags, ByteString data) {
  static final byte REQUEST = 1;
  static final byte RESPONSE = 2;
  static final int LONGEST = 4 << 20;
  private static final int HEAD = 10;

  ByteBuffer bytes() {
    ByteBuffer bytes =
        ByteBuffer.allocate(HEAD + data.size())
            .putInt(data.size())
            .putInt(stream)
            .put(type)
            .put(flags);
    data.copyTo(bytes);
    return bytes.flip();
  }

  /** Puts frames together from the pieces in which they come. */
  static final class Assembler {
    private byte[] held = new byte[1024];
    private int count;

    void add(ByteBuffer piece) throws IOException {
      if (count + piece.remaining() > 2 * (HEAD + LONGEST)) {
        throw new IOException("more than two of the longest frames at once");
      }
      if (held.length < count + piece.remaining()) {
        held = Arrays.copyOf(held, Math.max(2 * held.length, count + piece.remaining()));
      }
      int length = piece.remaining();
      piece.get(held, count, length);
      count += length;
    }

    /** The next whole frame. */
    Optional<Frame> next() throws IOException {
      if (count < HEAD) {
        return Optional.empty();
      }
      ByteBuffer head = ByteBuffer.wrap(held, 0, HEAD);
      int length = head.getInt();
      if (length < 0 || length > LONGEST) {
        throw new IOException("a frame of %d bytes".formatted(Integer.toUnsignedLong(length)));
      }
      if (count < HEAD + length) {
        return Optional.empty();
      }
      Frame frame =
          new Frame(head.getInt(), head.get(), head.get(), ByteString.copyFrom(held, HEAD, length));
      count -= HEAD + length;
      System.arraycopy(held, HEAD + length, held, 0, count);
      return Optional.of(frame);
    }
  }
}
