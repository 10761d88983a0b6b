package io.jrt.linux;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/** {@link Inflation} by the JDK. */
final class ZlibInflation implements Inflation {
  private final Inflater inflater = new Inflater(true);
  private byte[] input = new byte[0];
  private int length;

  @Override
  public String library() {
    return "zlib";
  }

  @Override
  public void reset() {
    inflater.reset();
    length = 0;
  }

  @Override
  public void input(byte[] bytes, int offset, int count) {
    if (inflater.getRemaining() > 0) {
      throw new IllegalStateException("input is left");
    }
    if (input.length < count) {
      input = new byte[count];
    }
    System.arraycopy(bytes, offset, input, 0, count);
    length = count;
    inflater.setInput(input, 0, count);
  }

  @Override
  public int inflate(byte[] buffer, int offset, int count) throws DataFormatException {
    return checked(inflater.inflate(buffer, offset, count));
  }

  @Override
  public int inflate(ByteBuffer direct) throws DataFormatException {
    return checked(inflater.inflate(direct));
  }

  private int checked(int got) throws DataFormatException {
    if (got == 0 && inflater.needsDictionary()) {
      throw new DataFormatException("a dictionary is wanted");
    }
    return got;
  }

  @Override
  public boolean finished() {
    return inflater.finished();
  }

  @Override
  public byte[] rest() {
    byte[] rest = Arrays.copyOfRange(input, length - inflater.getRemaining(), length);
    inflater.reset();
    length = 0;
    return rest;
  }

  @Override
  public void close() {
    inflater.end();
  }
}
