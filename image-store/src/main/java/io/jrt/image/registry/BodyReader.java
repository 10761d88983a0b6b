package io.jrt.image.registry;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A response's body as a stream that gives up when no byte comes for some time, which the JDK's own
 * does not. A bounded number of buffers is ahead of the reader.
 */
final class BodyReader extends InputStream implements HttpResponse.BodySubscriber<BodyReader> {
  private static final int AHEAD = 2;

  private sealed interface Item {
    record Bytes(List<ByteBuffer> buffers) implements Item {}

    record Failed(Throwable cause) implements Item {}

    record Ended() implements Item {}
  }

  private final Duration patience;
  private final LinkedBlockingQueue<Item> items = new LinkedBlockingQueue<>();
  private final ArrayDeque<ByteBuffer> current = new ArrayDeque<>();
  private volatile Flow.@Nullable Subscription subscription;
  private boolean ended;

  BodyReader(Duration patience) {
    this.patience = patience;
  }

  @Override
  public CompletionStage<BodyReader> getBody() {
    return CompletableFuture.completedStage(this);
  }

  @Override
  public void onSubscribe(Flow.Subscription given) {
    subscription = given;
    given.request(AHEAD);
  }

  @Override
  public void onNext(List<ByteBuffer> buffers) {
    items.add(new Item.Bytes(buffers));
  }

  @Override
  public void onError(Throwable cause) {
    items.add(new Item.Failed(cause));
  }

  @Override
  public void onComplete() {
    items.add(new Item.Ended());
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] buffer, int offset, int length) throws IOException {
    if (length == 0) {
      return 0;
    }
    while (true) {
      ByteBuffer head = current.peek();
      if (head == null) {
        if (ended || !next()) {
          return -1;
        }
      } else if (!head.hasRemaining()) {
        current.remove();
      } else {
        int count = Math.min(length, head.remaining());
        head.get(buffer, offset, count);
        return count;
      }
    }
  }

  private boolean next() throws IOException {
    Item item;
    try {
      item = items.poll(patience.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      close();
      throw new InterruptedIOException("interrupted");
    }
    return switch (item) {
      case null -> {
        close();
        throw new JrtException(
            ErrorKind.UNAVAILABLE,
            "fetch content",
            "no byte came for " + patience.toSeconds() + " seconds");
      }
      case Item.Bytes bytes -> {
        current.addAll(bytes.buffers());
        Objects.requireNonNull(subscription).request(1);
        yield true;
      }
      case Item.Failed failed -> {
        ended = true;
        throw new IOException(
            "the connection broke: " + failed.cause().getMessage(), failed.cause());
      }
      case Item.Ended _ -> {
        ended = true;
        yield false;
      }
    };
  }

  @Override
  public void close() {
    ended = true;
    Flow.Subscription given = subscription;
    if (given != null) {
      given.cancel();
    }
  }
}
