package io.jrt.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A client of exec and attach made of the JDK's own WebSocket: keeps what it is sent. */
final class Streamed implements AutoCloseable {
  static final int STDIN = 0;
  static final int RESIZE = 4;

  private final Receiver receiver;
  private final WebSocket socket;

  private Streamed(Receiver receiver, WebSocket socket) {
    this.receiver = receiver;
    this.socket = socket;
  }

  static HttpClient client() {
    return HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(10)).build();
  }

  static Streamed open(HttpClient http, URI url) {
    Receiver receiver = new Receiver();
    WebSocket socket =
        http.newWebSocketBuilder()
            .subprotocols("v5.channel.k8s.io", "v4.channel.k8s.io")
            .buildAsync(URI.create(url.toString().replaceFirst("^http", "ws")), receiver)
            .join();
    return new Streamed(receiver, socket);
  }

  void send(int channel, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    ByteBuffer message = ByteBuffer.allocate(bytes.length + 1);
    message.put((byte) channel).put(bytes).flip();
    socket.sendBinary(message, true).join();
  }

  /** Waits for the server's word that the streams are joined. */
  void awaitJoined() throws InterruptedException {
    assertThat(receiver.joined.await(30, TimeUnit.SECONDS)).as("joined").isTrue();
  }

  /** Waits until the process has written that. */
  void awaitText(String text) throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    while (!receiver.text().contains(text)) {
      assertThat(System.nanoTime())
          .as("no %s in %s, closed %s", text, receiver.text(), receiver.closed.getCount() == 0)
          .isLessThan(end);
      Thread.sleep(20);
    }
  }

  /** Waits until the server has ended the connection. */
  void awaitClose() throws InterruptedException {
    assertThat(receiver.closed.await(30, TimeUnit.SECONDS)).as("closed by the server").isTrue();
  }

  /** Goes without a word. */
  void vanish() {
    socket.abort();
  }

  @Override
  public void close() {
    if (!socket.isOutputClosed() && receiver.closed.getCount() > 0) {
      socket.sendClose(WebSocket.NORMAL_CLOSURE, "").join();
      try {
        awaitClose();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    socket.abort();
  }

  private static final class Receiver implements WebSocket.Listener {
    private final ByteArrayOutputStream received = new ByteArrayOutputStream();
    private final CountDownLatch joined = new CountDownLatch(1);
    private final CountDownLatch closed = new CountDownLatch(1);
    private boolean first = true;

    synchronized String text() {
      return received.toString(StandardCharsets.UTF_8);
    }

    @Override
    public synchronized @Nullable CompletionStage<?> onBinary(
        WebSocket socket, ByteBuffer data, boolean last) {
      joined.countDown();
      byte[] bytes = new byte[data.remaining()];
      data.get(bytes);
      int skip = first ? 1 : 0; // the channel's number
      received.write(bytes, skip, bytes.length - skip);
      first = last;
      socket.request(1);
      return null;
    }

    @Override
    public @Nullable CompletionStage<?> onClose(WebSocket socket, int code, String reason) {
      closed.countDown();
      return null;
    }

    @Override
    public void onError(WebSocket socket, Throwable error) {
      closed.countDown();
    }
  }
}
