package io.jrt.linux;

import java.nio.ByteBuffer;
import java.util.zip.DataFormatException;

/**
 * Undoes DEFLATE (RFC 1951), one stream after the other, in bounded memory. ISA-L does it where
 * that library is installed, at about twice the speed of the JDK's own zlib, which does it
 * elsewhere. For one thread at a time; must be closed.
 */
public interface Inflation extends AutoCloseable {
  /** The fastest that this machine has. */
  static Inflation open() {
    return IsalInflation.isHere() ? new IsalInflation() : new ZlibInflation();
  }

  /** The JDK's. */
  static Inflation portable() {
    return new ZlibInflation();
  }

  /** Name of the library at work. */
  String library();

  /** Forgets all input and begins a new stream. */
  void reset();

  /**
   * Gives more input, of which nothing may be left; the array may be reused at once.
   *
   * @throws IllegalStateException if some input is left
   */
  void input(byte[] bytes, int offset, int length);

  /**
   * Inflates what it can.
   *
   * @return number of bytes written; 0 when input is wanted or the stream has ended
   */
  int inflate(byte[] buffer, int offset, int length) throws DataFormatException;

  /** The same into a direct buffer, without a copy; its position moves. */
  int inflate(ByteBuffer direct) throws DataFormatException;

  /** Whether the stream has ended. */
  boolean finished();

  /** What followed the end of the stream in the input given so far; once, then it is empty. */
  byte[] rest();

  @Override
  void close();
}
