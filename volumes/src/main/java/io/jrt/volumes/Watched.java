package io.jrt.volumes;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Threads;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/**
 * Runs work that a dead network file system can hold up for ever, each on a thread of its own that
 * is given up when a step takes too long. A thread inside such a call cannot be stopped; when it
 * comes back after all, its result is thrown away.
 */
final class Watched {
  private static final String STEP = "prepare mount";

  private final Duration limit;
  private final Set<Step> active = ConcurrentHashMap.newKeySet();

  Watched(Duration limit) {
    this.limit = limit;
  }

  interface Work<T> {
    T run(Step step);
  }

  /** What the work is doing at the moment. */
  static final class Step {
    private final String owner;
    private String doing = "";
    private long since = System.nanoTime();
    private Instant at = Instant.now();
    private boolean abandoned;

    private Step(String owner) {
      this.owner = owner;
    }

    synchronized void begin(String what) {
      doing = what;
      since = System.nanoTime();
      at = Instant.now();
    }

    private synchronized void abandon() {
      abandoned = true;
    }

    private synchronized SlowMount slow() {
      return new SlowMount(owner, doing, at, abandoned);
    }

    synchronized String doing() {
      return doing;
    }

    synchronized long nanos() {
      return System.nanoTime() - since;
    }
  }

  /** The work's end: a value or a failure. */
  private static final class Outcome<T> {
    private Optional<T> value = Optional.empty();
    private Optional<Throwable> failure = Optional.empty();
    private boolean done;
    private boolean givenUp;
  }

  /**
   * @param owner whom the work is for
   * @param throwAway gets the result of work that ended after it was given up
   */
  <T> T call(String owner, Work<T> work, Consumer<T> throwAway) {
    Step step = new Step(owner);
    Outcome<T> outcome = new Outcome<>();
    Thread thread =
        Thread.ofPlatform()
            .daemon()
            .name("jrt-mount")
            .unstarted(() -> run(work, step, outcome, throwAway));
    active.add(step);
    try {
      Threads.start(thread);
    } catch (JrtException e) {
      active.remove(step);
      throw e;
    }
    synchronized (outcome) {
      while (!outcome.done) {
        long left = limit.toNanos() - step.nanos();
        if (left <= 0) {
          outcome.givenUp = true;
          step.abandon();
          throw new JrtException(
              ErrorKind.DEADLINE,
              STEP,
              "%s hangs: its file system has not answered for %d s"
                  .formatted(step.doing(), limit.toSeconds()),
              "see whether the server of a network file system is down",
              null);
        }
        try {
          outcome.wait(Math.max(1, left / 1_000_000));
        } catch (InterruptedException e) {
          outcome.givenUp = true;
          step.abandon();
          Thread.currentThread().interrupt();
          throw new JrtException(ErrorKind.CANCELLED, STEP, step.doing() + " was interrupted", e);
        }
      }
      if (outcome.failure.isPresent()) {
        throw rethrown(outcome.failure.get());
      }
      return outcome.value.orElseThrow();
    }
  }

  private <T> void run(Work<T> work, Step step, Outcome<T> outcome, Consumer<T> throwAway) {
    Optional<T> value = Optional.empty();
    Optional<Throwable> failure = Optional.empty();
    try {
      value = Optional.of(work.run(step));
    } catch (Throwable e) {
      failure = Optional.of(e);
    }
    active.remove(step);
    synchronized (outcome) {
      outcome.value = value;
      outcome.failure = failure;
      outcome.done = true;
      outcome.notifyAll();
      if (outcome.givenUp) {
        value.ifPresent(throwAway);
      }
    }
  }

  /** Steps that have not ended for at least this long, the oldest first. */
  List<SlowMount> slowerThan(Duration time) {
    return active.stream()
        .filter(step -> step.nanos() >= time.toNanos())
        .map(Step::slow)
        .sorted(Comparator.comparing(SlowMount::since))
        .toList();
  }

  private static RuntimeException rethrown(Throwable failure) {
    return switch (failure) {
      case JrtException e -> e;
      case Error e -> throw e;
      default ->
          new JrtException(ErrorKind.INTERNAL, STEP, String.valueOf(failure.getMessage()), failure);
    };
  }
}
