package io.jrt.linux;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * A piece of native memory for the arguments and results of one system call: taken from a small
 * pool, filled from the front, given back. Nothing is allocated on the way, so a call in a loop
 * (unpacking a layer) makes no garbage.
 */
final class Scratch implements AutoCloseable {
  static final int SIZE = 64 * 1024;

  /** What is left for data when a path or a few structures are in front. */
  static final int DATA = 56 * 1024;

  private static final int SLOTS = 16;
  private static final AtomicReferenceArray<Scratch> POOL = new AtomicReferenceArray<>(SLOTS);

  final ByteBuffer memory;
  private final long base;
  private int used;

  private Scratch() {
    memory = ByteBuffer.allocateDirect(SIZE).order(ByteOrder.nativeOrder());
    base = Native.address(memory);
  }

  static Scratch take() {
    int start = (int) Thread.currentThread().threadId();
    for (int i = 0; i < SLOTS; i++) {
      int slot = (start + i) & (SLOTS - 1);
      if (POOL.getPlain(slot) != null) {
        Scratch found = POOL.getAndSet(slot, null);
        if (found != null) {
          found.used = 0;
          return found;
        }
      }
    }
    return new Scratch();
  }

  @Override
  public void close() {
    int start = (int) Thread.currentThread().threadId();
    for (int i = 0; i < SLOTS; i++) {
      int slot = (start + i) & (SLOTS - 1);
      if (POOL.getPlain(slot) == null && POOL.compareAndSet(slot, null, this)) {
        return;
      }
    }
  }

  /**
   * Reserves that many bytes, aligned to eight, content undefined.
   *
   * @return their offset in {@link #memory}
   */
  int reserve(int size) {
    int offset = used;
    int end = (offset + size + 7) & ~7;
    if (size < 0 || end > SIZE) {
      throw new IllegalArgumentException("scratch memory exhausted: " + size + " bytes");
    }
    used = end;
    return offset;
  }

  /** Reserves bytes that are zero. */
  int zeroed(int size) {
    int offset = reserve(size);
    for (int i = offset; i < used; i += 8) {
      memory.putLong(i, 0);
    }
    return offset;
  }

  long address(int offset) {
    return base + offset;
  }

  /** Copies bytes in. */
  int put(byte[] bytes) {
    int offset = reserve(bytes.length);
    memory.put(offset, bytes);
    return offset;
  }

  /**
   * The address of a copy ended by NUL.
   *
   * @throws KernelException EINVAL for a NUL inside, which would silently cut the name;
   *     ENAMETOOLONG for more than a path can have
   */
  long string(String call, byte[] text) {
    if (text.length >= 4096) {
      throw new KernelException(call, Errno.ENAMETOOLONG, text.length + " bytes");
    }
    return longString(call, text);
  }

  /** The same without the limit of a path. */
  long longString(String call, byte[] text) {
    for (byte b : text) {
      if (b == 0) {
        throw new KernelException(call, Errno.EINVAL, Native.printable(text));
      }
    }
    int offset = reserve(text.length + 1);
    memory.put(offset, text);
    memory.put(offset + text.length, (byte) 0);
    return base + offset;
  }

  byte[] copy(int offset, int length) {
    byte[] bytes = new byte[length];
    memory.get(offset, bytes);
    return bytes;
  }
}
