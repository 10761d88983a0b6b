package io.jrt.core.op;

import io.jrt.core.Deadline;
import io.jrt.core.OperationInfo;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Errno;
import io.jrt.linux.FailPoints;
import io.jrt.linux.KernelException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.MDC;

/**
 * The mutating requests under way.
 *
 * <p>Operations with the same key never run side by side. An equal request joins the one that runs;
 * another one waits for its turn, and fails with DEADLINE if that does not come in time.
 */
public final class Operations implements AutoCloseable {

  /**
   * What an operation does.
   *
   * @param <T> what it gives
   */
  @FunctionalInterface
  public interface Body<T> {
    T run(Operation operation);
  }

  private final FailPoints failPoints;
  private final Map<String, Operation> running = new HashMap<>();
  private final AtomicLong number = new AtomicLong();
  private final List<OperationObserver> observers = new CopyOnWriteArrayList<>();
  private boolean closed;

  public Operations(FailPoints failPoints) {
    this.failPoints = failPoints;
  }

  /** Lets somebody hear of the operations that begin from now on. */
  public void observe(OperationObserver observer) {
    observers.add(observer);
  }

  public FailPoints failPoints() {
    return failPoints;
  }

  /**
   * Runs the body, or joins an equal request under way, and waits for the result.
   *
   * @param key what it changes
   * @param name what it is called: {@code run pod}
   * @param request what was asked; equal requests of the same name and key join
   * @throws JrtException what the body threw, or DEADLINE
   */
  public <T> T run(
      String key,
      String name,
      Object request,
      Deadline deadline,
      Class<T> resultType,
      Body<? extends T> body) {
    Operation operation = null;
    while (operation == null) {
      Operation before;
      synchronized (running) {
        if (closed) {
          throw new JrtException(ErrorKind.UNAVAILABLE, name, "the daemon is going down");
        }
        before = running.get(key);
        if (before == null) {
          operation = new Operation(key, name, request, deadline, failPoints, observers);
          running.put(key, operation);
          start(operation, body);
        } else if (before.isEqualTo(name, request)) {
          before.join();
          operation = before;
        }
      }
      if (operation == null && before != null) {
        await(before, deadline, name);
      }
    }
    await(operation, deadline, name);
    Throwable failure = operation.failure();
    if (failure != null) {
      throw again(failure, operation);
    }
    return Objects.requireNonNull(resultType.cast(operation.result()));
  }

  /** Runs, or joins, an operation without a result. */
  public void run(
      String key, String name, Object request, Deadline deadline, Consumer<Operation> body) {
    run(
        key,
        name,
        request,
        deadline,
        Boolean.class,
        operation -> {
          body.accept(operation);
          return true;
        });
  }

  private <T> void start(Operation operation, Body<? extends T> body) {
    // What it logs bears the id of the request that began it.
    Map<String, String> request = MDC.getCopyOfContextMap();
    Thread thread =
        Thread.ofVirtual()
            .name("op-" + number.incrementAndGet() + " " + operation.name())
            .unstarted(
                () -> {
                  if (request != null) {
                    MDC.setContextMap(request);
                  }
                  @Nullable Object result = null;
                  @Nullable Throwable failure = null;
                  try {
                    result = body.run(operation);
                  } catch (Throwable e) {
                    failure = e;
                  }
                  synchronized (running) {
                    running.remove(operation.key(), operation);
                    running.notifyAll();
                  }
                  if (failure != null) {
                    operation.fail(failure);
                  } else {
                    operation.succeed(result);
                  }
                });
    operation.began(thread);
    try {
      thread.start();
    } catch (OutOfMemoryError e) {
      // It never began: whoever comes next must not join it.
      synchronized (running) {
        running.remove(operation.key(), operation);
        running.notifyAll();
      }
      operation.fail(e);
    }
  }

  private static void await(Operation operation, Deadline deadline, String name) {
    try {
      boolean ended = operation.done().await(deadline.remaining().toNanos(), TimeUnit.NANOSECONDS);
      if (!ended) {
        throw new JrtException(
            ErrorKind.DEADLINE,
            operation.currentStep(),
            "%s of %s is still at step \"%s\"; it goes on, and a retry joins it"
                .formatted(operation.name(), operation.key(), operation.currentStep()));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new JrtException(ErrorKind.CANCELLED, name, "the caller went away", e);
    }
  }

  /** The same error for each caller, but with its own stack, as exceptions are not to be shared. */
  private static JrtException again(Throwable failure, Operation operation) {
    return switch (failure) {
      case JrtException known ->
          new JrtException(
              known.kind(),
              known.step(),
              String.valueOf(known.getMessage()),
              known.hint().orElse(null),
              known);
      case KernelException refused ->
          new JrtException(
              kindOf(refused.errno()),
              operation.currentStep(),
              String.valueOf(refused.getMessage()),
              refused);
      case OutOfMemoryError exhausted ->
          new JrtException(
              ErrorKind.EXHAUSTED,
              operation.currentStep(),
              operation.name() + " failed: " + exhausted.getMessage(),
              exhausted);
      default ->
          new JrtException(
              ErrorKind.INTERNAL,
              operation.name(),
              operation.name() + " failed: " + failure,
              failure);
    };
  }

  /** What the kernel's no to a daemon that asks as root means to its caller. */
  public static ErrorKind kindOf(Errno errno) {
    return switch (errno) {
      case ENOSPC, EDQUOT -> ErrorKind.NO_SPACE;
      case EMFILE, ENFILE, EAGAIN, ENOMEM -> ErrorKind.EXHAUSTED;
      case EROFS, EIO -> ErrorKind.UNAVAILABLE;
      default -> ErrorKind.INTERNAL;
    };
  }

  /** What is under way, oldest first. */
  public List<OperationInfo> list() {
    List<OperationInfo> infos = new ArrayList<>();
    synchronized (running) {
      running.values().forEach(operation -> infos.add(operation.info()));
    }
    infos.sort(Comparator.comparing(OperationInfo::since));
    return infos;
  }

  /** Takes no more requests, and waits this long for those under way; then interrupts them. */
  public void drain(Duration patience) {
    long until = System.nanoTime() + patience.toNanos();
    boolean interrupted = false;
    synchronized (running) {
      closed = true;
      while (!running.isEmpty()) {
        long left = TimeUnit.NANOSECONDS.toMillis(until - System.nanoTime());
        if (left <= 0) {
          running.values().forEach(Operation::interrupt);
          break;
        }
        try {
          running.wait(left);
        } catch (InterruptedException e) {
          interrupted = true;
          break;
        }
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    drain(Duration.ofSeconds(5));
  }
}
