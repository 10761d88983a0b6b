package io.jrt.server.streaming;

import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** A client of the channel protocols on top of the JDK's WebSocket. */
final class WebSocketTestClient implements WebSocket.Listener, AutoCloseable {
  private final HttpClient http = HttpClient.newHttpClient();
  private final WebSocket socket;
  private final boolean base64;
  private final Map<Integer, ByteArrayOutputStream> received = new HashMap<>();
  private final ByteArrayOutputStream message = new ByteArrayOutputStream();
  private boolean closed;

  WebSocketTestClient(URI url, String protocol) {
    base64 = protocol.contains("base64");
    WebSocket.Builder builder = http.newWebSocketBuilder();
    if (!protocol.isEmpty()) {
      builder.subprotocols("unknown.protocol", protocol);
    }
    socket = builder.buildAsync(URI.create(url.toString().replace("http:", "ws:")), this).join();
    if (!socket.getSubprotocol().equals(protocol)) {
      throw new IllegalStateException("server chose " + socket.getSubprotocol());
    }
  }

  void send(int channel, String text) {
    send(channel, text.getBytes(StandardCharsets.UTF_8));
  }

  void send(int channel, byte[] data) {
    if (base64) {
      socket.sendText(channel + Base64.getEncoder().encodeToString(data), true).join();
    } else {
      ByteBuffer bytes = ByteBuffer.allocate(1 + data.length).put((byte) channel).put(data);
      socket.sendBinary(bytes.flip(), true).join();
    }
  }

  @Override
  public @Nullable CompletionStage<?> onBinary(WebSocket from, ByteBuffer data, boolean last) {
    byte[] bytes = new byte[data.remaining()];
    data.get(bytes);
    message.writeBytes(bytes);
    if (last) {
      byte[] whole = message.toByteArray();
      message.reset();
      took(whole[0] & 0xff, whole, 1);
    }
    from.request(1);
    return null;
  }

  @Override
  public @Nullable CompletionStage<?> onText(WebSocket from, CharSequence data, boolean last) {
    message.writeBytes(data.toString().getBytes(StandardCharsets.US_ASCII));
    if (last) {
      String whole = message.toString(StandardCharsets.US_ASCII);
      message.reset();
      took(whole.charAt(0) - '0', Base64.getDecoder().decode(whole.substring(1)), 0);
    }
    from.request(1);
    return null;
  }

  private synchronized void took(int channel, byte[] bytes, int from) {
    received
        .computeIfAbsent(channel, c -> new ByteArrayOutputStream())
        .write(bytes, from, bytes.length - from);
    notifyAll();
  }

  @Override
  public @Nullable CompletionStage<?> onClose(WebSocket from, int status, String reason) {
    ended();
    return null;
  }

  @Override
  public void onError(WebSocket from, Throwable error) {
    ended();
  }

  private synchronized void ended() {
    closed = true;
    notifyAll();
  }

  synchronized void awaitClose() throws InterruptedException {
    while (!closed) {
      wait();
    }
  }

  synchronized void awaitText(int channel, String part) throws InterruptedException {
    while (!text(channel).contains(part) && !closed) {
      wait();
    }
  }

  synchronized byte[] bytes(int channel) {
    ByteArrayOutputStream bytes = received.get(channel);
    return bytes == null ? new byte[0] : bytes.toByteArray();
  }

  synchronized String text(int channel) {
    return new String(bytes(channel), StandardCharsets.UTF_8);
  }

  @Override
  public void close() {
    socket.abort();
    http.shutdownNow();
  }
}
