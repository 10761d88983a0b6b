package io.jrt.server.streaming;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.base64.Base64;
import io.netty.handler.codec.base64.Base64Dialect;
import io.netty.handler.codec.http.websocketx.BinaryWebSocketFrame;
import io.netty.handler.codec.http.websocketx.CloseWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PingWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PongWebSocketFrame;
import io.netty.handler.codec.http.websocketx.TextWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketCloseStatus;
import io.netty.handler.codec.http.websocketx.WebSocketFrame;
import io.netty.handler.timeout.IdleStateEvent;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A WebSocket whose messages begin with the number of a channel. */
@SuppressWarnings("FutureReturnValueIgnored") // a failed write breaks the channel, which is told
abstract class WebSocketConnection extends SimpleChannelInboundHandler<WebSocketFrame> {
  private static final Logger LOG = LoggerFactory.getLogger(WebSocketConnection.class);

  private final boolean base64;
  private ChannelHandlerContext context;
  private boolean closing;

  /**
   * The context is set by {@link #handlerAdded}, before anything else is called.
   *
   * @param base64 whether messages are text
   */
  @SuppressWarnings("NullAway.Init")
  WebSocketConnection(boolean base64) {
    this.base64 = base64;
  }

  /** The handshake is done. */
  abstract void connected();

  /** A message, without its channel; may be empty. */
  abstract void message(int channel, ByteBuf data);

  abstract void disconnected();

  abstract void writable();

  final ChannelHandlerContext context() {
    return context;
  }

  @Override
  public final void handlerAdded(ChannelHandlerContext ctx) {
    context = ctx;
  }

  @Override
  protected final void channelRead0(ChannelHandlerContext ctx, WebSocketFrame frame) {
    if (closing) {
      return;
    }
    switch (frame) {
      case PingWebSocketFrame ping ->
          ctx.writeAndFlush(new PongWebSocketFrame(ping.content().retain()));
      case CloseWebSocketFrame close -> closeConnection();
      case BinaryWebSocketFrame binary when !base64 -> {
        ByteBuf data = binary.content();
        if (data.isReadable()) {
          message(data.readUnsignedByte(), data);
        }
      }
      case TextWebSocketFrame text when base64 -> decode(text.content());
      default -> LOG.debug("ignored a {}", frame);
    }
  }

  private void decode(ByteBuf text) {
    if (!text.isReadable()) {
      return;
    }
    int channel = text.readByte() - '0';
    ByteBuf data;
    try {
      data = Base64.decode(text, Base64Dialect.STANDARD);
    } catch (IllegalArgumentException e) {
      LOG.debug("not base64 on channel {}", channel);
      return;
    }
    try {
      message(channel, data);
    } finally {
      data.release();
    }
  }

  @Override
  public final void channelInactive(ChannelHandlerContext ctx) throws Exception {
    disconnected();
    super.channelInactive(ctx);
  }

  @Override
  public final void channelWritabilityChanged(ChannelHandlerContext ctx) {
    if (ctx.channel().isWritable()) {
      writable();
    }
  }

  @Override
  public final void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    if (event instanceof IdleStateEvent) {
      closeConnection();
    }
  }

  @Override
  public final void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    LOG.debug("streaming connection broken", cause);
    ctx.close();
  }

  /** Sends a message with a copy of the bytes; any thread. */
  final void send(int channel, ByteBuffer bytes) {
    if (base64) {
      send(channel, Unpooled.copiedBuffer(bytes));
      return;
    }
    ByteBuf data = context.alloc().ioBuffer(1 + bytes.remaining());
    data.writeByte(channel).writeBytes(bytes);
    write(new BinaryWebSocketFrame(data));
    flush();
  }

  /** Sends a message with the buffer itself, and releases it; any thread. */
  final void send(int channel, ByteBuf bytes) {
    write(channel, bytes);
    flush();
  }

  /** The same, by the next {@link #flush}. */
  final void write(int channel, ByteBuf bytes) {
    if (base64) {
      ByteBuf encoded = Base64.encode(bytes, false, Base64Dialect.STANDARD);
      bytes.release();
      write(
          new TextWebSocketFrame(
              Unpooled.wrappedBuffer(
                  ByteBufUtil.writeAscii(context.alloc(), Integer.toString(channel)), encoded)));
    } else {
      ByteBuf head = context.alloc().ioBuffer(1).writeByte(channel);
      write(new BinaryWebSocketFrame(Unpooled.wrappedBuffer(head, bytes)));
    }
  }

  final void flush() {
    context.flush();
  }

  final void sendText(int channel, String text) {
    send(channel, Unpooled.wrappedBuffer(text.getBytes(StandardCharsets.UTF_8)));
  }

  private void write(WebSocketFrame frame) {
    context.write(frame, context.voidPromise());
  }

  /** Says farewell and closes, after all that was sent before; on the event loop. */
  final void closeConnection() {
    if (!closing) {
      closing = true;
      context.write(new CloseWebSocketFrame(WebSocketCloseStatus.NORMAL_CLOSURE));
      GracefulClose.afterFlush(context.channel());
    }
  }
}
