package io.jrt.image.store;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.image.registry.ResumingStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A large layer by several connections, in the order of its bytes. Who reads has a connection of
 * its own, so it depends on nobody; the ranges that follow are fetched ahead of it as the {@link
 * RangeWindow} allows. They lie in memory until it is their turn: what of a layer is on the disk
 * never has a hole.
 *
 * <p>A registry that answers with the whole layer, or with another range than the one asked for, is
 * read by one connection.
 */
final class RangedStream extends InputStream {
  private static final Logger LOG = LoggerFactory.getLogger(RangedStream.class);
  private static final int PIECE = 64 << 10;

  /** Opens a range. */
  interface Opener {
    /**
     * @param to byte after the last; negative for all that follows
     */
    ResumingStream open(long from, long to);
  }

  /** A range that is fetched before its turn. */
  private static final class Ahead {
    final long from;
    final long to;
    final RangeWindow.Place place;

    /** Bytes that are here. */
    int came;

    boolean ended;
    @Nullable Throwable failure;
    @Nullable Thread thread;

    Ahead(long from, long to, RangeWindow.Place place) {
      this.from = from;
      this.to = to;
      this.place = place;
    }
  }

  private final long size;
  private final Opener opener;
  private final RangeWindow window;
  private final IntConsumer arrived;

  /** The reader's: the next byte, and the connection it comes by unless it came ahead. */
  private long position;

  private @Nullable ResumingStream own;

  /** Guarded by this, as all below: ranges ahead of the reader's, without a gap between them. */
  private final ArrayDeque<Ahead> ahead = new ArrayDeque<>();

  /** The first byte that nobody fetches. */
  private long next;

  /** Whether the rest comes by one connection. */
  private boolean alone;

  private boolean closed;

  /**
   * @param arrived is told of bytes as they come, by several threads; may wait, or throw to stop
   */
  RangedStream(long from, long size, Opener opener, RangeWindow window, IntConsumer arrived) {
    this.position = from;
    this.next = from;
    this.size = size;
    this.opener = opener;
    this.window = window;
    this.arrived = arrived;
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
    while (true) {
      int count =
          own == null ? readAhead(buffer, offset, length) : own.read(buffer, offset, length);
      if (count > 0) {
        position += count;
        if (own != null) {
          arrived.accept(count);
        }
        return count;
      }
      if (own != null) {
        own.close();
        own = null;
      } else if (position >= size) {
        return -1;
      } else {
        goOn();
      }
    }
  }

  /** Bytes of the range whose turn it is, when it was fetched ahead; 0 when there is none. */
  private int readAhead(byte[] buffer, int offset, int length) throws IOException {
    while (true) {
      Ahead head;
      int here;
      boolean whole;
      synchronized (this) {
        head = ahead.peek();
        // One that broke off for good left a gap before the next.
        if (head == null || head.from > position) {
          return 0;
        }
        int taken = (int) (position - head.from);
        try {
          while (head.came == taken && !head.ended) {
            wait();
          }
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          throw new InterruptedIOException("interrupted");
        }
        here = Math.min(length, head.came - taken);
        whole = here == 0;
        if (whole) {
          ahead.remove();
        }
      }
      if (!whole) {
        head.place.bytes().get((int) (position - head.from), buffer, offset, here);
        return here;
      }
      head.place.free();
      switch (head.failure) {
        case null -> fetchAhead();
        case JrtException e -> throw e;
        case IOException e -> throw e;
        case Throwable e -> throw new IOException("a range broke off: " + e, e);
      }
    }
  }

  /** The reader's own connection, for the bytes at its position, up to those that are fetched. */
  private void goOn() throws IOException {
    long to;
    boolean rest;
    synchronized (this) {
      Ahead head = ahead.peek();
      if (head != null && head.from <= position) {
        // Begun by one that ended this moment.
        return;
      }
      if (head != null) {
        to = head.from;
      } else {
        next = Math.min(Math.max(next, position + window.blockSize()), size);
        to = next;
      }
      rest = alone;
    }
    if (!rest) {
      own = opener.open(position, to);
      try {
        rest = !own.isInRanges();
      } catch (JrtException e) {
        if (e.kind() != ErrorKind.DATA_LOSS) {
          throw e;
        }
        LOG.warn("ranges are not used: {}", e.getMessage());
        own.close();
        own = null;
        rest = true;
      }
    }
    if (rest) {
      stopAhead();
      own = own == null ? opener.open(position, -1) : own;
    } else {
      fetchAhead();
    }
  }

  /** Has ranges fetched while there is room for them. */
  private synchronized void fetchAhead() {
    while (!closed && !alone && next < size) {
      Optional<RangeWindow.Place> place = window.take();
      if (place.isEmpty()) {
        return;
      }
      var range = new Ahead(next, Math.min(next + window.blockSize(), size), place.get());
      next = range.to;
      ahead.add(range);
      range.thread = Thread.ofVirtual().name("jrt-range").start(() -> fetch(range));
    }
  }

  private void fetch(Ahead range) {
    try (ResumingStream stream = opener.open(range.from, range.to)) {
      if (isServed(stream)) {
        byte[] buffer = new byte[PIECE];
        for (int count; (count = stream.read(buffer)) > 0; ) {
          arrived.accept(count);
          range.place.bytes().put(range.came, buffer, 0, count);
          synchronized (this) {
            range.came += count;
            notifyAll();
          }
        }
      } else {
        // The reader comes here by itself.
        synchronized (this) {
          alone = true;
        }
      }
    } catch (Throwable e) {
      range.failure = e;
    }
    range.place.disconnect();
    synchronized (this) {
      range.ended = true;
      notifyAll();
    }
    if (range.failure == null) {
      fetchAhead();
    }
  }

  private static boolean isServed(ResumingStream stream) throws IOException {
    try {
      return stream.isInRanges();
    } catch (JrtException e) {
      if (e.kind() != ErrorKind.DATA_LOSS) {
        throw e;
      }
      LOG.warn("ranges are not used: {}", e.getMessage());
      return false;
    }
  }

  /** No range is fetched ahead any more, and those that were are forgotten. */
  private void stopAhead() {
    List<Ahead> left;
    synchronized (this) {
      alone = true;
      next = size;
      left = new ArrayList<>(ahead);
      ahead.clear();
    }
    boolean interrupted = false;
    for (Ahead one : left) {
      Thread thread = java.util.Objects.requireNonNull(one.thread);
      thread.interrupt();
      while (thread.isAlive()) {
        try {
          thread.join();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
      one.place.free();
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() throws IOException {
    synchronized (this) {
      closed = true;
    }
    stopAhead();
    if (own != null) {
      own.close();
      own = null;
    }
  }
}
