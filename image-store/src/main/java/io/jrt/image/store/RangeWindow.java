package io.jrt.image.store;

import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * What the ranges of all layers may use: connections that no layer waits for, and a bounded amount
 * of memory, outside of the heap, for bytes that come before their turn. The memory goes back to
 * the system when nothing lies in it.
 */
final class RangeWindow {
  /** Memory for so many ranges, of all pulls together. */
  static final int BLOCKS = 6;

  private static final int MAX_BLOCK = 8 << 20;
  private static final int MIN_BLOCK = 64 << 10;

  private record Block(Arena memory, ByteBuffer bytes) {}

  private final Semaphore connections;
  private final int blockSize;
  private final Deque<Block> idle = new ArrayDeque<>();
  private int used;

  /**
   * @param connections of the node; layers hold one each
   * @param rangeBytes from which size on a layer comes in ranges
   */
  RangeWindow(Semaphore connections, long rangeBytes) {
    this.connections = connections;
    this.blockSize = Math.clamp(rangeBytes / 4, MIN_BLOCK, MAX_BLOCK);
  }

  /** Bytes of one range. */
  int blockSize() {
    return blockSize;
  }

  /** A connection and a block for one range; empty when one of them is not to be had now. */
  Optional<Place> take() {
    try {
      // Unlike the one without a time, this tryAcquire lets those go first who wait.
      if (!connections.tryAcquire(0, TimeUnit.SECONDS)) {
        return Optional.empty();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Optional.empty();
    }
    Place place = null;
    try {
      place = block();
    } finally {
      if (place == null) {
        connections.release();
      }
    }
    return Optional.ofNullable(place);
  }

  private synchronized @org.jspecify.annotations.Nullable Place block() {
    if (used == BLOCKS) {
      return null;
    }
    Block block = idle.poll();
    if (block == null) {
      Arena memory = Arena.ofShared();
      block = new Block(memory, memory.allocate(blockSize, 64).asByteBuffer());
    }
    used++;
    return new Place(block);
  }

  private synchronized void giveBack(Block block) {
    idle.push(block);
    if (--used == 0) {
      idle.forEach(one -> one.memory().close());
      idle.clear();
    }
  }

  /** Where one range comes to. */
  final class Place {
    private final Block block;

    private Place(Block block) {
      this.block = block;
    }

    /** Written from one thread, and read by another what is told to be there. */
    ByteBuffer bytes() {
      return block.bytes();
    }

    /** All bytes have come; to be called once. */
    void disconnect() {
      connections.release();
    }

    /** All bytes were read; to be called once, after the connection has ended. */
    void free() {
      giveBack(block);
    }
  }
}
