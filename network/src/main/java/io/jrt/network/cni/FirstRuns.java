package io.jrt.network.cni;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Lets work of one kind begin to run side by side only after it has succeeded once.
 *
 * <p>The first ADD of a plugin makes what all its later ones share, such as portmap the chain
 * {@code CNI-HOSTPORT-SETMARK}, and two that find it missing at the same time both make it: one of
 * them fails. On a node that has just booted many pods are started at once.
 */
final class FirstRuns {
  private final Duration patience;
  private final Set<String> succeeded = ConcurrentHashMap.newKeySet();
  private final Map<String, ReentrantLock> turns = new ConcurrentHashMap<>();

  interface Work<T> {
    T run() throws PluginException;
  }

  /**
   * @param patience how long work waits for such that has not succeeded yet; it runs beside it then
   */
  FirstRuns(Duration patience) {
    this.patience = patience;
  }

  /** Runs it; by itself, if none of its kind has succeeded before. */
  <T> T run(String kind, Work<T> work) throws PluginException {
    if (succeeded.contains(kind)) {
      return work.run();
    }
    ReentrantLock turn = turns.computeIfAbsent(kind, _ -> new ReentrantLock());
    boolean mine = await(turn);
    try {
      if (mine && succeeded.contains(kind)) {
        mine = false;
        turn.unlock();
      }
      T result = work.run();
      succeeded.add(kind);
      return result;
    } finally {
      if (mine) {
        turn.unlock();
      }
    }
  }

  private boolean await(ReentrantLock turn) {
    try {
      return turn.tryLock(patience.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new JrtException(ErrorKind.CANCELLED, "attach network", "interrupted", e);
    }
  }
}
