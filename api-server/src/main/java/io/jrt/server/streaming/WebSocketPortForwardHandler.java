package io.jrt.server.streaming;

import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Port-forward over WebSocket: one TCP connection for each port that was asked for, its data on
 * channel 2i and its errors on 2i+1; each channel begins with the port, little endian.
 */
final class WebSocketPortForwardHandler extends WebSocketConnection {
  private final StreamingBackend backend;
  private final StreamRequest.PortForward request;
  private final List<PortRelay> relays = new ArrayList<>();
  private final Set<PortRelay> holding = new HashSet<>();
  private int open;

  WebSocketPortForwardHandler(
      StreamingBackend backend, StreamRequest.PortForward request, WebSocketProtocol protocol) {
    super(protocol.base64());
    this.backend = backend;
    this.request = request;
  }

  @Override
  void connected() {
    for (int port : request.ports()) {
      int channel = 2 * relays.size();
      PortRelay relay =
          new PortRelay(
              backend,
              request.podId(),
              port,
              new Channel(channel),
              context().channel().eventLoop());
      relays.add(relay);
      open++;
      send(channel, context().alloc().buffer(2).writeShortLE(port));
      send(channel + 1, context().alloc().buffer(2).writeShortLE(port));
    }
    relays.forEach(PortRelay::start);
    if (relays.isEmpty()) {
      closeConnection();
    }
  }

  @Override
  void message(int channel, ByteBuf data) {
    if (channel % 2 == 0 && channel / 2 < relays.size() && data.isReadable()) {
      relays.get(channel / 2).clientData(data);
    }
  }

  @Override
  void disconnected() {
    relays.forEach(PortRelay::clientGone);
  }

  @Override
  void writable() {
    relays.forEach(PortRelay::clientWritable);
  }

  /** The two channels of one port. */
  private final class Channel implements PortWire {
    private final int number;

    Channel(int number) {
      this.number = number;
    }

    @Override
    public void data(ByteBuf bytes) {
      write(number, bytes);
    }

    @Override
    public void flush() {
      WebSocketPortForwardHandler.this.flush();
    }

    @Override
    public void endData() {
      // There is no half-close here; the connection ends with its last port.
    }

    @Override
    public void done(String error) {
      if (!error.isEmpty()) {
        sendText(number + 1, error);
      }
      if (--open == 0) {
        closeConnection();
      }
    }

    @Override
    public boolean isWritable() {
      return context().channel().isWritable();
    }

    @Override
    public void holdInput(PortRelay relay, boolean hold) {
      if (hold) {
        holding.add(relay);
      } else {
        holding.remove(relay);
      }
      context().channel().config().setAutoRead(holding.isEmpty());
    }
  }
}
