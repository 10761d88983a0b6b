package io.jrt.core.op;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Things that are done side by side, each on a virtual thread of its own, so that one that has to
 * wait holds up no other. Closing waits for all of them, and throws what the first of them threw
 * that failed.
 */
public final class Together implements AutoCloseable {
  private final ExecutorService threads;
  private final List<Future<?>> all = new ArrayList<>();

  /**
   * @param what names the threads
   */
  public Together(String what) {
    threads = Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name(what + "-", 0).factory());
  }

  public void run(Runnable step) {
    all.add(threads.submit(step));
  }

  /** What the future holds is there after closing at the latest. */
  public <T> Future<T> get(Callable<T> step) {
    Future<T> future = threads.submit(step);
    all.add(future);
    return future;
  }

  @Override
  public void close() {
    threads.close();
    List<Throwable> failures =
        all.stream()
            .filter(one -> one.state() == Future.State.FAILED)
            .map(Future::exceptionNow)
            .toList();
    if (failures.isEmpty()) {
      return;
    }
    Throwable first = failures.getFirst();
    failures.stream().skip(1).forEach(first::addSuppressed);
    switch (first) {
      case RuntimeException failure -> throw failure;
      case Error error -> throw error;
      default -> throw new IllegalStateException(first);
    }
  }
}
