package io.jrt.core.op;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** The steps of one operation, one after the other, told to those who want to hear of them. */
public final class Steps {
  private final List<OperationObserver.Heard> listeners;
  private String current;
  private Instant since;

  /**
   * Begins with the first step.
   *
   * @param key what the operation changes
   */
  public Steps(List<OperationObserver> observers, String operation, String key, String first) {
    this.listeners = observers.stream().map(each -> each.began(operation, key)).toList();
    this.current = first;
    this.since = Instant.now();
  }

  /** The step that was under way has ended well, and this one begins. */
  public synchronized void next(String step) {
    ended(false);
    current = step;
  }

  /** The same, if that one is not under way already. */
  public synchronized void at(String step) {
    if (!step.equals(current)) {
      next(step);
    }
  }

  public synchronized String current() {
    return current;
  }

  /** Since when the current step is under way. */
  public synchronized Instant since() {
    return since;
  }

  /** All of it has ended. */
  public synchronized void end(Optional<Throwable> failure) {
    ended(failure.isPresent());
    listeners.forEach(each -> each.ended(since, failure));
  }

  private void ended(boolean failed) {
    Instant now = Instant.now();
    // The clock may have been set back meanwhile.
    Instant until = now.isBefore(since) ? since : now;
    listeners.forEach(each -> each.stepEnded(current, since, until, failed));
    since = until;
  }
}
