package io.jrt.server.rpc;

import io.grpc.Context;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.jrt.core.Deadline;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;

/** How the switchboards answer. */
public final class Answers {
  /** How many items of a list go into one message of a stream. */
  private static final int CHUNK = 256;

  private Answers() {}

  /** The one answer to a call. */
  public static <A> void one(StreamObserver<A> client, A answer) {
    client.onNext(answer);
    client.onCompleted();
  }

  /** A list in pieces; an empty list is an empty stream. */
  public static <T, A> void chunks(
      StreamObserver<A> client, List<T> items, Function<List<T>, A> message) {
    stream(
        client,
        sink -> {
          for (int from = 0; from < items.size(); from += CHUNK) {
            sink.send(message.apply(items.subList(from, Math.min(items.size(), from + CHUNK))));
          }
        });
  }

  /**
   * A stream written by a blocking body on a virtual thread of its own, so that the client's going
   * and its pace can be heard meanwhile.
   */
  public static <A> void stream(StreamObserver<A> client, Consumer<Sink<A>> body) {
    var observer = (ServerCallStreamObserver<A>) client;
    var sink = new Sink<>(observer);
    Thread thread =
        Thread.ofVirtual()
            .name("stream")
            .unstarted(
                Context.current()
                    .wrap(
                        () -> {
                          try {
                            body.accept(sink);
                            sink.complete();
                          } catch (RuntimeException e) {
                            sink.fail(e);
                          }
                        }));
    sink.heard(thread);
    thread.start();
  }

  /** Runs the body, whose thread is interrupted when the client of the current call goes. */
  public static <T> T untilCancelled(Supplier<T> body) {
    Context context = Context.current();
    Thread caller = Thread.currentThread();
    var lock = new Object();
    boolean[] over = {false};
    Context.CancellationListener hangUp =
        gone -> {
          synchronized (lock) {
            if (!over[0]) {
              caller.interrupt();
            }
          }
        };
    context.addListener(hangUp, Runnable::run);
    try {
      return body.get();
    } finally {
      synchronized (lock) {
        over[0] = true;
      }
      context.removeListener(hangUp);
    }
  }

  /** Until when the client of the current call waits. */
  public static Deadline deadline() {
    io.grpc.Deadline deadline = Context.current().getDeadline();
    return deadline == null
        ? Deadline.none()
        : Deadline.after(
            Duration.ofNanos(Math.max(0, deadline.timeRemaining(TimeUnit.NANOSECONDS))));
  }
}
