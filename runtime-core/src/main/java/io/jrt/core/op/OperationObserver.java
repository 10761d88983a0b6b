package io.jrt.core.op;

import java.time.Instant;
import java.util.Optional;

/** Hears of operations and of each of their steps; for metrics and traces. */
@FunctionalInterface
public interface OperationObserver {

  /**
   * An operation begins. Called on the thread of the caller that asked for it first; must not
   * block.
   *
   * @param operation what it is called: {@code run pod}
   * @param key what it changes
   */
  Heard began(String operation, String key);

  /** Hears of one operation. Must not block. */
  interface Heard {

    /**
     * @param failed whether the operation ended in this step by a failure
     */
    void stepEnded(String step, Instant since, Instant until, boolean failed);

    /** After its last step. */
    default void ended(Instant at, Optional<Throwable> failure) {}
  }
}
