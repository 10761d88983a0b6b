package io.jrt.image.registry;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.io.IOException;
import java.io.InputStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A part of a blob; when its connection breaks, the rest is fetched by a new one. */
public final class ResumingStream extends InputStream {
  private static final Logger LOG = LoggerFactory.getLogger(ResumingStream.class);
  private static final int MAX_FAILURES = 6;

  /** Opens the rest. */
  interface Opener {
    /**
     * @param failures so far without a byte in between
     */
    RegistrySession.Opened open(long position, int failures) throws IOException;
  }

  private final long size;
  private final Opener opener;
  private long end;
  private long position;

  /** Bytes of the answer that lie before the position. */
  private long behind;

  private int failures;
  private boolean answered;
  private boolean inRanges;
  private @Nullable InputStream current;

  ResumingStream(long from, long to, long size, Opener opener) {
    this.position = from;
    this.end = to < 0 ? size : to;
    this.size = size;
    this.opener = opener;
  }

  /**
   * Waits for the first answer.
   *
   * @return whether it is the range asked for. Else the registry sends all of the blob, and this
   *     goes on to the blob's end
   */
  public boolean isInRanges() throws IOException {
    while (!answered) {
      opened();
    }
    return inRanges;
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
      InputStream from = opened();
      if (from == null) {
        continue;
      }
      try {
        // A registry that knows no ranges sends all of it again.
        from.skipNBytes(behind);
        behind = 0;
        int count = from.read(buffer, offset, (int) Math.min(length, end - position));
        if (count > 0) {
          position += count;
          failures = 0;
          return count;
        }
        throw new IOException("the answer ended at byte " + position + " of " + size);
      } catch (IOException e) {
        failed(e);
      } catch (JrtException e) {
        failed(e);
      }
    }
    return endOfPart(buffer);
  }

  /** A registry that has more than it announced is caught here, not by luck later. */
  private int endOfPart(byte[] buffer) throws IOException {
    InputStream last = current;
    if (last != null && end == size && last.read(buffer, 0, 1) > 0) {
      throw new JrtException(
          ErrorKind.DATA_LOSS,
          "fetch content",
          "a blob is longer than the " + size + " bytes announced");
    }
    if (last != null && end < size && inRanges) {
      finish(last, buffer);
    }
    current = null;
    if (last != null) {
      last.close();
    }
    return -1;
  }

  /** A connection whose answer is read to its very end serves the next request as well. */
  private static void finish(InputStream last, byte[] buffer) {
    try {
      if (last.read(buffer, 0, 1) > 0) {
        LOG.debug("a range is longer than what was asked for");
      }
    } catch (IOException | JrtException e) {
      LOG.debug("a range does not end", e);
    }
  }

  /** The answer to read from; null after a failure, when another attempt may be made. */
  private @Nullable InputStream opened() throws IOException {
    if (current != null) {
      return current;
    }
    try {
      RegistrySession.Opened opened = opener.open(position, failures);
      behind = position - opened.start();
      if (!answered) {
        answered = true;
        inRanges = opened.inRanges();
        end = inRanges ? end : size;
      }
      current = opened.stream();
      return current;
    } catch (IOException e) {
      failed(e);
    } catch (JrtException e) {
      failed(e);
    }
    return null;
  }

  private void failed(JrtException e) throws IOException {
    if (e.kind() != ErrorKind.UNAVAILABLE && e.kind() != ErrorKind.EXHAUSTED) {
      throw e;
    }
    failed(e, e);
  }

  private void failed(IOException e) throws IOException {
    failed(e, new JrtException(ErrorKind.UNAVAILABLE, "fetch content", e.getMessage() + "", e));
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
