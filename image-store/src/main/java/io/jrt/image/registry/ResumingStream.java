package io.jrt.image.registry;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.io.IOException;
import java.io.InputStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A part of a blob; when its connection breaks, the rest is fetched by a new one. */
final class ResumingStream extends InputStream {
  private static final Logger LOG = LoggerFactory.getLogger(ResumingStream.class);
  private static final int MAX_FAILURES = 6;

  /** Opens the rest. */
  interface Opener {
    /**
     * @param failures so far without a byte in between
     */
    RegistrySession.Opened open(long position, int failures) throws IOException;
  }

  private final long end;
  private final long size;
  private final Opener opener;
  private long position;
  private int failures;
  private @Nullable InputStream current;

  ResumingStream(long from, long to, long size, Opener opener) {
    this.position = from;
    this.end = to < 0 ? size : to;
    this.size = size;
    this.opener = opener;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] buffer, int offset, int length) throws IOException {
    if (length == 0) {
      return 0;
    }
    while (position < end) {
      try {
        if (current == null) {
          current = open();
        }
        int wanted = (int) Math.min(length, end - position);
        int count = current.read(buffer, offset, wanted);
        if (count > 0) {
          position += count;
          failures = 0;
          return count;
        }
        throw new IOException("the answer ended at byte " + position + " of " + size);
      } catch (IOException e) {
        failed(e, new JrtException(ErrorKind.UNAVAILABLE, "fetch content", e.getMessage() + "", e));
      } catch (JrtException e) {
        if (e.kind() != ErrorKind.UNAVAILABLE && e.kind() != ErrorKind.EXHAUSTED) {
          throw e;
        }
        failed(e, e);
      }
    }
    return endOfBlob(buffer);
  }

  /** A registry that has more than it announced is caught here, not by luck later. */
  private int endOfBlob(byte[] buffer) throws IOException {
    InputStream last = current;
    if (last != null && end == size) {
      if (last.read(buffer, 0, 1) > 0) {
        throw new JrtException(
            ErrorKind.DATA_LOSS,
            "fetch content",
            "a blob is longer than the " + size + " bytes announced");
      }
      current = null;
      last.close();
    }
    return -1;
  }

  private InputStream open() throws IOException {
    RegistrySession.Opened opened = opener.open(position, failures);
    // A registry that knows no ranges sends all of it again.
    if (opened.start() < position) {
      opened.stream().skipNBytes(position - opened.start());
    }
    return opened.stream();
  }

  private void failed(Exception e, JrtException shown) throws IOException {
    if (current != null) {
      current.close();
      current = null;
    }
    if (++failures >= MAX_FAILURES) {
      throw shown;
    }
    LOG.info("a blob broke off at byte {} of {}, resumed: {}", position, size, e.getMessage());
    RegistryRequests.pause(RegistryRequests.backOff(failures));
  }

  @Override
  public void close() throws IOException {
    position = end;
    if (current != null) {
      current.close();
      current = null;
    }
  }
}
