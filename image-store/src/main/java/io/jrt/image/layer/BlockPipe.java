package io.jrt.image.layer;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import org.jspecify.annotations.Nullable;

/**
 * Hands blocks of bytes from one thread to another: the writer fills a free block and sends it, the
 * reader sees a stream. The blocks go round, so a pipe allocates nothing while it runs and is
 * bounded. An error of one side reaches the other.
 */
final class BlockPipe {
  private static final class Block {
    final byte[] bytes;
    int length;

    Block(int size) {
      bytes = new byte[size];
    }
  }

  private final BlockingQueue<Block> free;
  private final BlockingQueue<Block> full;
  private final Block end = new Block(0);
  private volatile @Nullable Throwable failure;
  private volatile boolean readerGone;
  private @Nullable Block current;
  private int position;

  BlockPipe(int blocks, int blockSize) {
    free = new ArrayBlockingQueue<>(blocks);
    full = new ArrayBlockingQueue<>(blocks + 2);
    for (int i = 0; i < blocks; i++) {
      free.add(new Block(blockSize));
    }
  }

  /** What fills a block: answers the number of bytes, or -1 at the end. */
  interface Source {
    int fill(byte[] block) throws IOException;
  }

  /** The writer's side: pumps the source to its end. Never throws; the reader gets the error. */
  void pump(Source source) {
    try {
      while (!readerGone) {
        Block block = free.take();
        int count = source.fill(block.bytes);
        if (count < 0) {
          break;
        }
        block.length = count;
        full.put(block);
      }
    } catch (Throwable e) {
      failure = e;
      if (e instanceof InterruptedException) {
        Thread.currentThread().interrupt();
      }
    }
    // The queue has room for all blocks, the one of stop() and this one.
    full.add(end);
  }

  /** The reader's side. */
  InputStream stream() {
    return new InputStream() {
      private final byte[] one = new byte[1];

      @Override
      public int read() throws IOException {
        int count = read(one, 0, 1);
        return count < 0 ? -1 : one[0] & 0xff;
      }

      @Override
      public int read(byte[] buffer, int offset, int length) throws IOException {
        if (length == 0) {
          return 0;
        }
        Block block = block();
        if (block == end) {
          return -1;
        }
        int count = Math.min(length, block.length - position);
        System.arraycopy(block.bytes, position, buffer, offset, count);
        position += count;
        return count;
      }
    };
  }

  private Block block() throws IOException {
    try {
      while (current != end && (current == null || position == current.length)) {
        if (current != null) {
          free.put(current);
        }
        position = 0;
        current = full.take();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted");
    }
    if (current == end) {
      rethrow();
    }
    return java.util.Objects.requireNonNull(current);
  }

  private void rethrow() throws IOException {
    switch (failure) {
      case null -> {}
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      case Throwable e -> throw new IOException(e.getMessage(), e);
    }
  }

  /** The reader wants no more; a writer that waits for a free block ends. */
  void stop() {
    readerGone = true;
    free.offer(new Block(1));
  }
}
