package io.jrt.core.life;

import io.jrt.core.ExecResult;
import io.jrt.core.io.CommandOutput;
import io.jrt.core.io.OutputStreamKind;
import io.jrt.core.io.StreamClient;
import io.jrt.linux.Kernel;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Keeps the beginning of a command's output and lets the rest pass unread, so that the command is
 * never held up.
 */
final class Collector implements StreamClient {
  private final CommandOutput stdout;
  private final CommandOutput stderr;
  private final CountDownLatch open = new CountDownLatch(2);

  /**
   * @param directory for what is too much for memory
   */
  Collector(Kernel kernel, Path directory) {
    stdout = new CommandOutput(kernel, directory);
    stderr = new CommandOutput(kernel, directory);
  }

  @Override
  public boolean output(OutputStreamKind stream, ByteBuffer bytes) {
    switch (stream) {
      case STDOUT -> stdout.append(bytes);
      case STDERR -> stderr.append(bytes);
    }
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

  /** What came by now; it is its owner's to close. */
  ExecResult result(int exitCode) {
    return new ExecResult(stdout.finish(), stderr.finish(), exitCode);
  }

  /** Without a result: throws away what came. */
  void discard() {
    stdout.close();
    stderr.close();
  }
}
