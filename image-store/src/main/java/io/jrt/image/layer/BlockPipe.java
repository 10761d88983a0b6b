package io.jrt.image.layer;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import org.jspecify.annotations.Nullable;

/**
 * Hands blocks of bytes from one thread to another: the writer fills a free block and sends it, the
 * reader takes it. The blocks lie outside of the heap, where native code reads and writes them in
 * place; they go round, so a pipe allocates nothing while it runs and is bounded. An error of one
 * side reaches the other. To be closed when both sides have ended.
 */
final class BlockPipe implements AutoCloseable {
  private static final class Block {
    final ByteBuffer bytes;

    Block(ByteBuffer bytes) {
      this.bytes = bytes;
    }
  }

  private final Arena memory = Arena.ofShared();
  private final BlockingQueue<Block> free;
  private final BlockingQueue<Block> full;
  private final Block end = new Block(ByteBuffer.allocate(0));
  private volatile @Nullable Throwable failure;
  private volatile boolean readerGone;
  private @Nullable Block current;

  BlockPipe(int blocks, int blockSize) {
    free = new ArrayBlockingQueue<>(blocks + 1);
    full = new ArrayBlockingQueue<>(blocks + 1);
    for (int i = 0; i < blocks; i++) {
      free.add(new Block(memory.allocate(blockSize, 64).asByteBuffer()));
    }
  }

  /** What fills a block, from its position on; leaves it empty at the end. */
  interface Source {
    void fill(ByteBuffer block) throws IOException;
  }

  /** The writer's side: pumps the source to its end. Never throws; the reader gets the error. */
  void pump(Source source) {
    try {
      while (!readerGone) {
        Block block = free.take();
        if (block == end) {
          break;
        }
        source.fill(block.bytes.clear());
        if (block.bytes.position() == 0) {
          break;
        }
        block.bytes.flip();
        full.put(block);
      }
    } catch (Throwable e) {
      failure = e;
      if (e instanceof InterruptedException) {
        Thread.currentThread().interrupt();
      }
    }
    // The queue has room for all blocks and this one.
    full.add(end);
  }

  /**
   * The reader's side: the next block, the reader's until the next call.
   *
   * @return null at the end
   */
  @Nullable ByteBuffer take() throws IOException {
    if (current == end) {
      return null;
    }
    try {
      if (current != null) {
        free.put(current);
      }
      current = full.take();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted");
    }
    if (current != end) {
      return current.bytes;
    }
    return switch (failure) {
      case null -> null;
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      case Throwable e -> throw new IOException(e.getMessage(), e);
    };
  }

  /** The reader wants no more; a writer that waits for a free block ends. */
  void stop() {
    readerGone = true;
    free.offer(end);
  }

  @Override
  public void close() {
    memory.close();
  }
}
