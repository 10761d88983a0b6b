package io.jrt.core.io;

import io.jrt.linux.Errno;
import io.jrt.linux.Fd;
import io.jrt.linux.Files;
import io.jrt.linux.KernelException;
import io.jrt.linux.Poller;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Writes to a process's stdin without waiting. What its pipe has no room for is kept and written
 * when there is; clients hold what they have till then.
 */
final class InputWriter implements AutoCloseable {
  private final Poller poller;
  private final Files files;
  private final Fd fd;
  private final Queue<ByteBuffer> waiting = new ArrayDeque<>();
  private final Set<StreamClient> held = new LinkedHashSet<>();
  private Poller.@Nullable Registration registration;
  private boolean ended;

  /** Owns the descriptor, which is non-blocking. */
  InputWriter(Poller poller, Files files, Fd fd) {
    this.poller = poller;
    this.files = files;
    this.fd = fd;
  }

  /** As {@link StreamSession#input}; {@code from} is told when there is room again. */
  synchronized boolean write(StreamClient from, ByteBuffer bytes) {
    if (ended || !fd.isOpen()) {
      bytes.position(bytes.limit());
      return true;
    }
    if (waiting.isEmpty() && writeSome(bytes)) {
      return true;
    }
    if (!fd.isOpen()) {
      return true;
    }
    ByteBuffer rest = ByteBuffer.allocate(bytes.remaining()).put(bytes).flip();
    waiting.add(rest);
    held.add(from);
    if (registration == null) {
      registration = poller.register(fd, Poller.EPOLLOUT, this::writable);
    }
    return false;
  }

  /** Closes stdin after what waits was written. */
  synchronized void end() {
    ended = true;
    if (waiting.isEmpty()) {
      closeNow();
    }
  }

  private void writable(int events) {
    List<StreamClient> ready;
    synchronized (this) {
      while (true) {
        ByteBuffer head = waiting.peek();
        if (head == null) {
          break;
        }
        if (!writeSome(head)) {
          return;
        }
        waiting.poll();
      }
      Poller.Registration watching = registration;
      registration = null;
      if (watching != null) {
        watching.close();
      }
      if (ended) {
        closeNow();
      }
      ready = List.copyOf(held);
      held.clear();
    }
    ready.forEach(StreamClient::inputReady);
  }

  /** Answers whether all of it is gone, be it that the process has closed its stdin. */
  private boolean writeSome(ByteBuffer bytes) {
    try {
      while (bytes.hasRemaining()) {
        files.write(fd, bytes);
      }
      return true;
    } catch (KernelException e) {
      if (e.is(Errno.EAGAIN)) {
        return false;
      }
      // EPIPE, and EIO of a terminal: nobody reads this any more.
      bytes.position(bytes.limit());
      waiting.clear();
      ended = true;
      if (registration == null) {
        closeNow();
      }
      return true;
    }
  }

  private void closeNow() {
    Poller.Registration watching = registration;
    registration = null;
    if (watching != null) {
      watching.close();
    }
    fd.close();
  }

  @Override
  public synchronized void close() {
    ended = true;
    waiting.clear();
    held.clear();
    closeNow();
  }
}
