package io.jrt.server.streaming;

import io.jrt.core.io.OutputStreamKind;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.EventLoop;
import java.nio.ByteBuffer;

/** Exec and attach over WebSocket: all streams are channels of one connection. */
final class WebSocketCommandHandler extends WebSocketConnection implements CommandWire {
  private static final int STDIN = 0;
  private static final int STDOUT = 1;
  private static final int STDERR = 2;
  private static final int ERROR = 3;
  private static final int RESIZE = 4;
  private static final int CLOSE = 255;

  private final StreamRequest.Command request;
  private final WebSocketProtocol protocol;
  private final RemoteCommand command;

  WebSocketCommandHandler(
      StreamingBackend backend, StreamRequest.Command request, WebSocketProtocol protocol) {
    super(protocol.base64());
    this.request = request;
    this.protocol = protocol;
    this.command = new RemoteCommand(backend, request, this);
  }

  @Override
  void connected() {
    if (request instanceof StreamRequest.Exec) {
      greet();
    }
    command.start();
  }

  @Override
  public void joined() {
    // Who attaches before the start may start the container now, and misses nothing.
    if (request instanceof StreamRequest.Attach) {
      greet();
    }
  }

  /** Tells clients that wait for the first message that they are connected. */
  private void greet() {
    int lowest = request.stdout() ? STDOUT : request.stderr() && !request.tty() ? STDERR : ERROR;
    send(lowest, Unpooled.EMPTY_BUFFER);
  }

  @Override
  void message(int channel, ByteBuf data) {
    switch (channel) {
      case STDIN -> {
        if (data.isReadable()) {
          command.input(data);
        }
      }
      case RESIZE -> {
        if (request.tty()) {
          command.resize(data);
        }
      }
      case CLOSE -> {
        if (protocol.version() >= 5
            && data.readableBytes() == 1
            && data.getByte(data.readerIndex()) == STDIN) {
          command.endInput();
        }
      }
      default -> {
        // Clients may write to no other channel; what they send there is dropped.
      }
    }
  }

  @Override
  void disconnected() {
    command.disconnected();
  }

  @Override
  void writable() {
    command.writable();
  }

  @Override
  public boolean output(OutputStreamKind stream, ByteBuffer bytes) {
    send(stream == OutputStreamKind.STDOUT ? STDOUT : STDERR, bytes);
    return isWritable();
  }

  @Override
  public void end(OutputStreamKind stream) {
    // Nothing says so in these protocols but the end of the connection.
  }

  @Override
  public void finish(CommandStatus status) {
    eventLoop()
        .execute(
            () -> {
              String text = protocol.version() >= 4 ? status.json() : status.text();
              if (!text.isEmpty()) {
                sendText(ERROR, text);
              }
              closeConnection();
            });
  }

  @Override
  public boolean isWritable() {
    return context().channel().isWritable();
  }

  @Override
  public void holdInput(boolean hold) {
    context().channel().config().setAutoRead(!hold);
  }

  @Override
  public EventLoop eventLoop() {
    return context().channel().eventLoop();
  }
}
