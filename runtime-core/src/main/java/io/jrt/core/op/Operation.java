package io.jrt.core.op;

import io.jrt.core.Deadline;
import io.jrt.core.OperationInfo;
import io.jrt.linux.FailPoints;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * One mutating request under way: what it changes, where it is, since when.
 *
 * <p>It runs on a thread of its own. Callers wait for it as long as their deadline lets them; a
 * caller that leaves does not stop it, so nothing is left half-made, and a later equal request
 * finds either it or its result.
 */
public final class Operation {
  private final String key;
  private final String name;
  private final Object request;
  private final Instant since = Instant.now();
  private final Deadline deadline;
  private final FailPoints failPoints;
  private final Steps steps;
  private final AtomicInteger joined = new AtomicInteger();
  private final CountDownLatch done = new CountDownLatch(1);
  private volatile @Nullable Thread thread;
  private @Nullable Object result;
  private @Nullable Throwable failure;

  Operation(
      String key,
      String name,
      Object request,
      Deadline deadline,
      FailPoints failPoints,
      List<OperationObserver> observers) {
    this.key = key;
    this.name = name;
    this.request = request;
    this.deadline = deadline;
    this.failPoints = failPoints;
    this.steps = new Steps(observers, name, key, "begin");
  }

  /**
   * Says which step begins now. It is what {@code jrt ops} shows, and the place where a test can
   * stop the operation: the fail-point's name is the operation's and the step's, with dashes for
   * blanks, such as {@code run-pod.attach-network}.
   */
  public void step(String name) {
    steps.next(name);
    failPoints.hit((this.name + "." + name).replace(' ', '-'));
  }

  /** The deadline of the caller that began it; a hint for what it calls, not a limit of its own. */
  public Deadline deadline() {
    return deadline;
  }

  public String key() {
    return key;
  }

  public String currentStep() {
    return steps.current();
  }

  boolean isEqualTo(String otherName, Object otherRequest) {
    return name.equals(otherName) && request.equals(otherRequest);
  }

  String name() {
    return name;
  }

  void began(Thread on) {
    thread = on;
  }

  void interrupt() {
    Thread running = thread;
    if (running != null) {
      running.interrupt();
    }
  }

  void join() {
    joined.incrementAndGet();
  }

  void succeed(@Nullable Object value) {
    steps.end(Optional.empty());
    result = value;
    done.countDown();
  }

  void fail(Throwable why) {
    steps.end(Optional.of(why));
    failure = why;
    done.countDown();
  }

  CountDownLatch done() {
    return done;
  }

  @Nullable Object result() {
    return result;
  }

  @Nullable Throwable failure() {
    return failure;
  }

  OperationInfo info() {
    Thread running = thread;
    return new OperationInfo(
        key,
        name,
        steps.current(),
        since,
        steps.since(),
        deadline.wallClock(),
        running == null ? "" : running.getName(),
        joined.get());
  }
}
