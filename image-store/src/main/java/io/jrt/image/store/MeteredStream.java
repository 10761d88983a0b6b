package io.jrt.image.store;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;

/** Tells the progress of what is read and keeps to the node's bandwidth. */
final class MeteredStream extends FilterInputStream {
  private final PullTracker.Layer progress;
  private final Bandwidth bandwidth;

  MeteredStream(InputStream in, PullTracker.Layer progress, Bandwidth bandwidth) {
    super(in);
    this.progress = progress;
    this.bandwidth = bandwidth;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] buffer, int offset, int length) throws IOException {
    int count = super.read(buffer, offset, length);
    if (count > 0) {
      progress.fetched(count);
      bandwidth.spend(count);
    }
    return count;
  }
}
