package io.jrt.core.life;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What could not be undone when it should, for want of descriptors, say: it is tried again, ever
 * less often, until it works or the daemon ends. Then the next daemon does it, by the intent.
 */
final class Leftovers implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Leftovers.class);
  private static final Duration FIRST = Duration.ofMillis(500);
  private static final Duration LONGEST = Duration.ofMinutes(1);
  private static final Duration PATIENCE = Duration.ofSeconds(3);

  private final Set<Thread> threads = ConcurrentHashMap.newKeySet();

  /**
   * @param what {@code pod ID}
   * @param release may be done in part already, and is done whole
   */
  void add(String what, Runnable release) {
    Thread thread =
        Thread.ofVirtual().name("undo " + what).unstarted(() -> tryUntilDone(what, release));
    threads.add(thread);
    thread.start();
  }

  private void tryUntilDone(String what, Runnable release) {
    try {
      Duration wait = FIRST;
      do {
        Thread.sleep(wait);
        wait = wait.multipliedBy(2).compareTo(LONGEST) < 0 ? wait.multipliedBy(2) : LONGEST;
      } while (!done(what, release));
    } catch (InterruptedException closed) {
      Thread.currentThread().interrupt();
    } finally {
      threads.remove(Thread.currentThread());
    }
  }

  private static boolean done(String what, Runnable release) {
    try {
      release.run();
    } catch (RuntimeException | OutOfMemoryError e) {
      say(() -> log.warn("undoing {} failed again: {}", what, e.getMessage()));
      return false;
    }
    say(() -> log.info("{} is undone now", what));
    return true;
  }

  /**
   * Says it, if it can be said: a virtual thread that has to wait for the log wants another
   * carrier, and where the daemon may have no more threads that must not end the undoing.
   */
  private static void say(Runnable line) {
    try {
      line.run();
    } catch (OutOfMemoryError e) {
      // Nobody hears it; the next try may be heard.
    }
  }

  @Override
  public void close() {
    Set<Thread> all = Set.copyOf(threads);
    all.forEach(Thread::interrupt);
    try {
      for (Thread thread : all) {
        thread.join(PATIENCE);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
