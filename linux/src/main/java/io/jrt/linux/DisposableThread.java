package io.jrt.linux;

import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/**
 * Runs something on a platform thread of its own, which ends afterwards: it may enter namespaces.
 */
final class DisposableThread {
  private DisposableThread() {}

  static <T> T run(String name, Callable<T> body) throws Exception {
    FutureTask<T> task = new FutureTask<>(body);
    Thread thread = Threads.start(Thread.ofPlatform().name(name).daemon().unstarted(task));
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return task.get();
        } catch (InterruptedException e) {
          // Passed on, so that blocking code in the body ends too; its result is still awaited,
          // because it may own descriptors.
          interrupted = true;
          thread.interrupt();
        } catch (ExecutionException e) {
          switch (e.getCause()) {
            case Exception failure -> throw failure;
            case Error failure -> throw failure;
            case null, default -> throw new IllegalStateException(e);
          }
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** For bodies without checked exceptions. */
  static void run(String name, Runnable body) {
    try {
      run(
          name,
          () -> {
            body.run();
            return Boolean.TRUE;
          });
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }
}
