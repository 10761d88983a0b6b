package io.jrt.server.rpc;

import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;

/**
 * Stands before every call: gives it an id for the log, turns what it throws into a status, and
 * says in the log how it ended.
 */
final class CallInterceptor implements ServerInterceptor {
  private static final Logger log = LoggerFactory.getLogger("io.jrt.server.call");
  private static final String REQUEST = "request";

  private final AtomicLong ids = new AtomicLong();
  private final CallObserver observer;

  CallInterceptor(CallObserver observer) {
    this.observer = observer;
  }

  @Override
  public <Q, A> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
    String id = Long.toString(ids.incrementAndGet(), Character.MAX_RADIX);
    var told = new Told<>(call, id, observer);
    ServerCall.Listener<Q> listener;
    MDC.put(REQUEST, id);
    try {
      listener = next.startCall(told, headers);
    } finally {
      MDC.remove(REQUEST);
    }
    return new SimpleForwardingServerCallListener<>(listener) {
      @Override
      public void onMessage(Q message) {
        guarded(() -> super.onMessage(message));
      }

      @Override
      public void onHalfClose() {
        guarded(super::onHalfClose);
      }

      @Override
      public void onCancel() {
        guarded(super::onCancel);
        told.cancelled();
      }

      private void guarded(Runnable step) {
        MDC.put(REQUEST, id);
        try {
          step.run();
        } catch (RuntimeException | StackOverflowError | OutOfMemoryError e) {
          // Without room for objects the daemon has ended; this one is of threads.
          told.fail(e);
        } finally {
          MDC.remove(REQUEST);
        }
      }
    };
  }

  /** A call that is told about when it ends. */
  private static final class Told<Q, A> extends SimpleForwardingServerCall<Q, A> {
    private final String id;
    private final CallObserver observer;
    private final long since = System.nanoTime();
    private boolean ended;

    Told(ServerCall<Q, A> call, String id, CallObserver observer) {
      super(call);
      this.id = id;
      this.observer = observer;
    }

    void fail(Throwable error) {
      close(Statuses.of(error), new Metadata());
    }

    void cancelled() {
      if (end(Status.CANCELLED)) {
        log.debug("{} left by its client", getMethodDescriptor().getFullMethodName());
      }
    }

    @Override
    public void close(Status status, Metadata trailers) {
      if (!end(status)) {
        return;
      }
      try {
        say(status);
      } catch (OutOfMemoryError e) {
        // A virtual thread that blocks wants another carrier, and there is none: the caller's
        // answer
        // matters more than the line.
      }
      super.close(status, trailers);
    }

    private synchronized boolean end(Status status) {
      if (ended) {
        return false;
      }
      ended = true;
      observer.ended(
          getMethodDescriptor().getFullMethodName(), status.getCode(), System.nanoTime() - since);
      return true;
    }

    /** On whichever thread: a stream ends on one of its own. */
    private void say(Status status) {
      boolean outside = MDC.get(REQUEST) == null;
      MDC.put(REQUEST, id);
      try {
        sentence(status);
      } finally {
        if (outside) {
          MDC.remove(REQUEST);
        }
      }
    }

    private void sentence(Status status) {
      String method = getMethodDescriptor().getFullMethodName();
      long millis = (System.nanoTime() - since) / 1_000_000;
      switch (status.getCode()) {
        case OK -> log.debug("{} ok in {} ms", method, millis);
        case INTERNAL, UNKNOWN, DATA_LOSS ->
            log.error(
                "{} failed after {} ms: {}",
                method,
                millis,
                status.getDescription(),
                status.getCause());
        // Asked about what is gone, which the kubelet does all day.
        case NOT_FOUND, CANCELLED, UNIMPLEMENTED ->
            log.debug("{} {}: {}", method, status.getCode(), status.getDescription());
        default ->
            log.warn(
                "{} {} after {} ms: {}", method, status.getCode(), millis, status.getDescription());
      }
    }
  }
}
