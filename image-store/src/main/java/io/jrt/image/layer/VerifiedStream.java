package io.jrt.image.layer;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.image.Digest;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;

/** Hashes and counts the bytes that go through, and never lets through more than were announced. */
public final class VerifiedStream extends InputStream {
  private final InputStream in;
  private final Digest expected;
  private final long size;
  private final MessageDigest hash;
  private long count;
  private boolean verified;

  public VerifiedStream(InputStream in, Digest expected, long size) {
    this.in = in;
    this.expected = expected;
    this.size = size;
    this.hash = expected.newHash();
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] buffer, int offset, int length) throws IOException {
    int got = in.read(buffer, offset, length);
    if (got > 0) {
      count += got;
      if (count > size) {
        throw new JrtException(
            ErrorKind.DATA_LOSS,
            "verify content",
            expected + " is longer than the " + size + " bytes announced");
      }
      hash.update(buffer, offset, got);
    }
    return got;
  }

  /** Bytes that were not read yet. */
  long left() {
    return size - count;
  }

  /** Reads and hashes to the end. */
  void drain() throws IOException {
    byte[] scratch = new byte[64 << 10];
    while (read(scratch, 0, scratch.length) >= 0) {
      // Only the digest wants these bytes.
    }
  }

  /**
   * To be called at the end.
   *
   * @throws JrtException DATA_LOSS when length or digest are not as announced
   */
  public void verify() {
    if (verified) {
      return;
    }
    if (count != size) {
      throw new JrtException(
          ErrorKind.DATA_LOSS,
          "verify content",
          expected + " has " + count + " bytes, not the " + size + " announced");
    }
    byte[] found = hash.digest();
    if (!expected.matches(found)) {
      throw new JrtException(
          ErrorKind.DATA_LOSS,
          "verify content",
          "the bytes served as "
              + expected
              + " have the digest "
              + expected.algorithm()
              + ":"
              + java.util.HexFormat.of().formatHex(found));
    }
    verified = true;
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}
