package io.jrt.core.life;

import io.jrt.core.Bytes;
import io.jrt.core.io.OutputStreamKind;
import io.jrt.core.io.StreamClient;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Keeps the beginning of a command's output, 16 MiB of each stream as containerd does, and lets the
 * rest pass unread, so that the command is never held up.
 */
final class Collector implements StreamClient {
  static final int LIMIT = 16 << 20;

  private final ByteArrayOutputStream stdout = new ByteArrayOutputStream();
  private final ByteArrayOutputStream stderr = new ByteArrayOutputStream();
  private final CountDownLatch open = new CountDownLatch(2);

  @Override
  public boolean output(OutputStreamKind stream, ByteBuffer bytes) {
    ByteArrayOutputStream kept =
        switch (stream) {
          case STDOUT -> stdout;
          case STDERR -> stderr;
        };
    synchronized (kept) {
      int room = Math.min(bytes.remaining(), LIMIT - kept.size());
      byte[] part = new byte[Math.max(0, room)];
      bytes.get(part);
      kept.write(part, 0, part.length);
    }
    bytes.position(bytes.limit());
    return true;
  }

  @Override
  public void end(OutputStreamKind stream) {
    open.countDown();
  }

  @Override
  public void inputReady() {
    // A command that is collected from has no input.
  }

  @Override
  public void dropped(String reason) {
    open.countDown();
    open.countDown();
  }

  /** Waits until both streams have ended. */
  boolean awaitEnd(Duration patience) {
    try {
      return open.await(patience.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  Bytes stdout() {
    synchronized (stdout) {
      return Bytes.of(stdout.toByteArray());
    }
  }

  Bytes stderr() {
    synchronized (stderr) {
      return Bytes.of(stderr.toByteArray());
    }
  }
}
