package io.jrt.network;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/** Locks by sandbox id: work on one sandbox waits for other work on it, and for nothing else. */
public final class SandboxLocks {
  private final Map<String, Entry> entries = new HashMap<>();

  private static final class Entry {
    private final ReentrantLock lock = new ReentrantLock();
    private int users;
  }

  /** Waits until nobody works on the sandbox, then does the work and holds others off meanwhile. */
  public <T> T with(String sandboxId, Supplier<T> work) {
    Entry entry;
    synchronized (entries) {
      entry = entries.computeIfAbsent(sandboxId, id -> new Entry());
      entry.users++;
    }
    entry.lock.lock();
    try {
      return work.get();
    } finally {
      entry.lock.unlock();
      synchronized (entries) {
        entry.users--;
        if (entry.users == 0) {
          entries.remove(sandboxId);
        }
      }
    }
  }

  /** The same for work without a result. */
  public void run(String sandboxId, Runnable work) {
    with(
        sandboxId,
        () -> {
          work.run();
          return true;
        });
  }
}
