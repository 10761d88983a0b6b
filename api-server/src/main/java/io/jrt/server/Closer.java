package io.jrt.server;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CountDownLatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Closes what was added to it, the last first, each one whatever became of the others. */
final class Closer {
  private static final Logger log = LoggerFactory.getLogger(Closer.class);

  private final Deque<AutoCloseable> parts = new ArrayDeque<>();
  private final CountDownLatch closed = new CountDownLatch(1);

  synchronized <T extends AutoCloseable> T add(T part) {
    parts.push(part);
    return part;
  }

  /** May be called again: there is nothing left to close then. */
  synchronized void close() {
    while (!parts.isEmpty()) {
      try {
        parts.pop().close();
      } catch (InterruptedException e) {
        // The process goes: what is left is closed all the same.
        log.warn("interrupted while closing", e);
        Thread.currentThread().interrupt();
      } catch (Exception e) {
        log.warn("closing failed", e);
      }
    }
    closed.countDown();
  }

  /** Waits until someone has closed it. */
  void awaitClosed() {
    try {
      closed.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
