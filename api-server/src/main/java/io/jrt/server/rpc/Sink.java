package io.jrt.server.rpc;

import io.grpc.stub.ServerCallStreamObserver;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The client's end of a stream, for a writer that blocks: it waits while the client is slow and is
 * interrupted when the client goes.
 *
 * @param <A> what is sent
 */
public final class Sink<A> {
  private final ServerCallStreamObserver<A> client;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private boolean gone;
  private boolean done;
  private boolean delivered;

  Sink(ServerCallStreamObserver<A> client) {
    this.client = client;
  }

  /** Must be called before the call's method returns: later the handlers can't be set. */
  void heard(Thread writer) {
    client.setOnReadyHandler(this::wake);
    client.setOnCloseHandler(() -> change(() -> delivered = true));
    client.setOnCancelHandler(
        () ->
            change(
                () -> {
                  gone = true;
                  if (!done) {
                    writer.interrupt();
                  }
                }));
  }

  private void wake() {
    change(() -> {});
  }

  private void change(Runnable change) {
    lock.lock();
    try {
      change.run();
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Whether nobody listens any more. */
  public boolean isGone() {
    return client.isCancelled();
  }

  /**
   * Sends when the client is ready for it.
   *
   * @throws JrtException CANCELLED when the client went
   */
  public void send(A message) {
    lock.lock();
    try {
      while (!client.isReady() && !gone && !client.isCancelled()) {
        changed.await();
      }
      if (gone || client.isCancelled()) {
        throw left(null);
      }
      client.onNext(message);
    } catch (InterruptedException e) {
      throw left(e);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Sends the only message of a call that is answered by one, as the client takes it.
   *
   * @throws JrtException CANCELLED when the client went
   */
  public void sendLast(A message) {
    lock.lock();
    try {
      send(message);
      // Such a message is not sent before the call is complete.
      complete();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits until all of the {@link #sendLast last message} is on its way, or the client is gone:
   * what the message took of memory is free then.
   *
   * @return false if it is not after that time
   */
  public boolean awaitDelivery(Duration time) {
    lock.lock();
    try {
      long left = time.toNanos();
      while (!delivered && !gone && !client.isCancelled()) {
        if (left <= 0) {
          return false;
        }
        left = changed.awaitNanos(left);
      }
      return true;
    } catch (InterruptedException e) {
      throw left(e);
    } finally {
      lock.unlock();
    }
  }

  /** Sends if the client is ready for it now, and else drops the message. Never waits. */
  public void offer(A message) {
    lock.lock();
    try {
      if (client.isReady() && !gone && !client.isCancelled()) {
        client.onNext(message);
      }
    } finally {
      lock.unlock();
    }
  }

  void complete() {
    end(client::onCompleted);
  }

  void fail(RuntimeException error) {
    end(() -> client.onError(Statuses.of(error).asRuntimeException()));
  }

  private void end(Runnable last) {
    lock.lock();
    try {
      if (done) {
        return;
      }
      done = true;
      if (!gone && !client.isCancelled()) {
        last.run();
      }
    } finally {
      lock.unlock();
    }
  }

  private static JrtException left(@Nullable Throwable cause) {
    return new JrtException(ErrorKind.CANCELLED, "send stream", "the client left", cause);
  }
}
