package io.jrt.server.streaming;

import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.spdy.SpdyHeaders;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Port-forward over SPDY/3.1: for each TCP connection the client opens a pair of streams, {@code
 * error} and {@code data}, with the same request id and port; any number of pairs share the
 * connection.
 */
@SuppressWarnings("FutureReturnValueIgnored") // a failed write breaks the channel, which is told
final class SpdyPortForwardHandler extends SpdyConnection {
  private static final int MAX_PAIRS = 4096;

  private final StreamingBackend backend;
  private final StreamRequest.PortForward request;
  private final Duration creationTimeout;
  private final Map<String, Pair> pairs = new HashMap<>();
  private final Map<Integer, Pair> byStream = new HashMap<>();
  private final Set<PortRelay> holding = new HashSet<>();

  SpdyPortForwardHandler(
      StreamingBackend backend, StreamRequest.PortForward request, Duration creationTimeout) {
    this.backend = backend;
    this.request = request;
    this.creationTimeout = creationTimeout;
  }

  @Override
  boolean opened(int stream, SpdyHeaders headers) {
    String type = text(headers, "streamtype");
    int port = port(text(headers, "port"));
    boolean isError = type.equals("error");
    if (port == 0 || (!isError && !type.equals("data")) || pairs.size() >= MAX_PAIRS) {
      return false;
    }
    String id = text(headers, "requestid");
    if (id.isEmpty()) {
      // Clients older than request ids open the error stream and then the data stream.
      id = "stream " + (isError ? stream : stream - 2);
    }
    Pair pair = pairs.get(id);
    if (pair == null) {
      pair = new Pair(id, port);
      pairs.put(id, pair);
      Pair made = pair;
      raw()
          .executor()
          .schedule(made::checkComplete, creationTimeout.toMillis(), TimeUnit.MILLISECONDS);
    }
    if (pair.port != port || (isError ? pair.error : pair.data) != 0) {
      return false;
    }
    if (isError) {
      pair.error = stream;
    } else {
      pair.data = stream;
    }
    byStream.put(stream, pair);
    return true;
  }

  private static String text(SpdyHeaders headers, String name) {
    String value = headers.getAsString(name);
    return value == null ? "" : value;
  }

  /** 0 for what is no port. */
  private static int port(String text) {
    if (!text.matches("[0-9]{1,5}")) {
      return 0;
    }
    int port = Integer.parseInt(text);
    return port <= 0xffff ? port : 0;
  }

  @Override
  void accepted(int stream) {
    Pair pair = byStream.get(stream);
    if (pair != null && pair.error != 0 && pair.data != 0 && pair.relay == null) {
      PortRelay relay =
          new PortRelay(backend, request.podId(), pair.port, pair, raw().channel().eventLoop());
      pair.relay = relay;
      relay.start();
    }
  }

  @Override
  void data(int stream, ByteBuf data) {
    Pair pair = byStream.get(stream);
    if (pair != null && pair.data == stream && pair.relay != null) {
      pair.relay.clientData(data);
    }
  }

  @Override
  void halfClosed(int stream) {
    Pair pair = byStream.get(stream);
    if (pair != null && pair.data == stream && pair.relay != null) {
      pair.relay.clientEnd();
    }
  }

  @Override
  void reset(int stream) {
    Pair pair = byStream.get(stream);
    if (pair != null && pair.data == stream && pair.relay != null) {
      pair.relay.clientGone();
    }
  }

  @Override
  void disconnected() {
    for (Pair pair : List.copyOf(pairs.values())) {
      if (pair.relay != null) {
        pair.relay.clientGone();
      }
    }
  }

  @Override
  void writable() {
    for (Pair pair : List.copyOf(pairs.values())) {
      if (pair.relay != null) {
        pair.relay.clientWritable();
      }
    }
  }

  /** Two streams that belong together. */
  private final class Pair implements PortWire {
    private final String id;
    private final int port;
    private int error;
    private int data;
    private boolean dataEnded;
    private @Nullable PortRelay relay;

    Pair(String id, int port) {
      this.id = id;
      this.port = port;
    }

    private void checkComplete() {
      if (relay == null && pairs.get(id) == this) {
        done("timed out waiting for the other stream of request " + id);
      }
    }

    @Override
    public void data(ByteBuf bytes) {
      write(data, bytes);
    }

    @Override
    public void flush() {
      SpdyPortForwardHandler.this.flush();
    }

    @Override
    public void endData() {
      if (!dataEnded && data != 0) {
        dataEnded = true;
        sendEnd(data);
      }
    }

    @Override
    public void done(String message) {
      endData();
      if (error != 0) {
        sendText(error, message);
        sendEnd(error);
      }
      pairs.remove(id);
      byStream.remove(error);
      byStream.remove(data);
    }

    @Override
    public boolean isWritable() {
      return raw().channel().isWritable();
    }

    @Override
    public void holdInput(PortRelay who, boolean hold) {
      if (hold) {
        holding.add(who);
      } else {
        holding.remove(who);
      }
      raw().channel().config().setAutoRead(holding.isEmpty());
    }
  }
}
