package io.jrt.core.op;

import java.time.Duration;

/** Hears of each step of each operation when it ends; for metrics. */
@FunctionalInterface
public interface StepObserver {

  /** Hears nothing. */
  StepObserver NONE = (operation, step, failed, took) -> {};

  /**
   * Must not block.
   *
   * @param failed whether the operation ended in this step by a failure
   */
  void stepEnded(String operation, String step, boolean failed, Duration took);
}
