package io.jrt.server.rpc;

import io.grpc.stub.ServerCallStreamObserver;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
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
    client.setOnCloseHandler(
        () -> {
          lock.lock();
          try {
            delivered = true;
            changed.signalAll();
          } finally {
            lock.unlock();
          }
        });
    client.setOnCancelHandler(
        () -> {
          lock.lock();
          try {
            gone = true;
            changed.signalAll();
            if (!done) {
              writer.interrupt();
            }
          } finally {
            lock.unlock();
          }
        });
  }

  private void wake() {
    lock.lock();
    try {
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
   * Sends the only message of a call that is answered by one, and waits until all of it is on its
   * way: what it took of memory is free then.
   *
   * @throws JrtException CANCELLED when the client went
   */
  public void sendLast(A message) {
    lock.lock();
    try {
      send(message);
      // Such a message is not sent before the call is complete.
      complete();
      while (!delivered && !gone && !client.isCancelled()) {
        changed.await();
      }
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
