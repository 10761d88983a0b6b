package io.jrt.server.streaming;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.spdy.DefaultSpdyGoAwayFrame;
import io.netty.handler.codec.spdy.DefaultSpdyPingFrame;
import io.netty.handler.codec.spdy.DefaultSpdyRstStreamFrame;
import io.netty.handler.codec.spdy.DefaultSpdySynReplyFrame;
import io.netty.handler.codec.spdy.SpdyDataFrame;
import io.netty.handler.codec.spdy.SpdyFrame;
import io.netty.handler.codec.spdy.SpdyFrameCodec;
import io.netty.handler.codec.spdy.SpdyHeaders;
import io.netty.handler.codec.spdy.SpdyPingFrame;
import io.netty.handler.codec.spdy.SpdyRstStreamFrame;
import io.netty.handler.codec.spdy.SpdySessionStatus;
import io.netty.handler.codec.spdy.SpdyStreamStatus;
import io.netty.handler.codec.spdy.SpdySynStreamFrame;
import io.netty.handler.codec.spdy.SpdyVersion;
import io.netty.handler.timeout.IdleStateEvent;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The server's side of a SPDY/3.1 connection as Kubernetes clients speak it: the client opens
 * streams, there is no flow control (Go's library neither sends nor heeds WINDOW_UPDATE), and TCP
 * alone holds a sender back.
 *
 * <p>Data frames are written past the codec, which would copy them.
 */
@SuppressWarnings("FutureReturnValueIgnored") // a failed write breaks the channel, which is told
abstract class SpdyConnection extends SimpleChannelInboundHandler<SpdyFrame> {
  private static final Logger LOG = LoggerFactory.getLogger(SpdyConnection.class);
  private static final int DATA_HEADER = 8;
  private static final int FLAG_FIN = 1;
  private static final int MAX_DATA_CHUNK = 64 * 1024;
  private static final int MAX_HEADER_BLOCK = 16 * 1024;

  private ChannelHandlerContext raw;
  private int lastStream;
  private boolean closing;

  /** The context is set by {@link #handlerAdded}, before anything else is called. */
  @SuppressWarnings("NullAway.Init")
  SpdyConnection() {}

  /** The codec that goes before this handler. */
  static SpdyFrameCodec codec() {
    return new SpdyFrameCodec(
        SpdyVersion.SPDY_3_1, MAX_DATA_CHUNK, MAX_HEADER_BLOCK, 6, 15, 8, false);
  }

  /** The client opens a stream; answers whether it is accepted. */
  abstract boolean opened(int stream, SpdyHeaders headers);

  /** The stream was accepted and the client knows. */
  abstract void accepted(int stream);

  /** Data; the buffer is released afterwards. */
  abstract void data(int stream, ByteBuf data);

  /** The client sends nothing more on that stream. */
  abstract void halfClosed(int stream);

  /** The client gave the stream up. */
  abstract void reset(int stream);

  /** The connection is gone. */
  abstract void disconnected();

  abstract void writable();

  final ChannelHandlerContext raw() {
    return raw;
  }

  @Override
  public void handlerAdded(ChannelHandlerContext ctx) {
    raw = ctx.pipeline().context(SpdyFrameCodec.class);
  }

  @Override
  protected final void channelRead0(ChannelHandlerContext ctx, SpdyFrame frame) {
    if (closing) {
      return;
    }
    switch (frame) {
      case SpdyDataFrame f -> {
        if (f.content().isReadable()) {
          data(f.streamId(), f.content());
        }
        if (f.isLast()) {
          halfClosed(f.streamId());
        }
      }
      case SpdySynStreamFrame f -> open(f);
      case SpdyRstStreamFrame f -> reset(f.streamId());
      case SpdyPingFrame f -> ctx.writeAndFlush(new DefaultSpdyPingFrame(f.id()));
      default -> {
        // Settings, window updates, headers and the client's farewell ask for nothing.
      }
    }
  }

  private void open(SpdySynStreamFrame frame) {
    int id = frame.streamId();
    if (frame.isInvalid() || frame.isTruncated() || id % 2 == 0 || id <= lastStream) {
      resetStream(id, SpdyStreamStatus.PROTOCOL_ERROR);
      return;
    }
    lastStream = id;
    if (!opened(id, frame.headers())) {
      resetStream(id, SpdyStreamStatus.REFUSED_STREAM);
      return;
    }
    var reply = new DefaultSpdySynReplyFrame(id);
    // Without a header the codec leaves the block out, and Go's reader breaks the connection off.
    reply.headers().set("streamid", Integer.toString(id));
    raw.channel().writeAndFlush(reply);
    accepted(id);
    if (frame.isLast()) {
      halfClosed(id);
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

  /** Sends a copy of the bytes; any thread. */
  final void send(int stream, ByteBuffer bytes) {
    int length = bytes.remaining();
    ByteBuf frame = raw.alloc().ioBuffer(DATA_HEADER + length);
    frame.writeInt(stream).writeByte(0).writeMedium(length).writeBytes(bytes);
    raw.writeAndFlush(frame, raw.voidPromise());
  }

  /** Sends the buffer itself by the next {@link #flush}, and releases it; any thread. */
  final void write(int stream, ByteBuf bytes) {
    int length = bytes.readableBytes();
    ByteBuf header = raw.alloc().ioBuffer(DATA_HEADER);
    header.writeInt(stream).writeByte(0).writeMedium(length);
    raw.write(Unpooled.wrappedBuffer(header, bytes), raw.voidPromise());
  }

  final void flush() {
    raw.flush();
  }

  final void sendText(int stream, String text) {
    if (!text.isEmpty()) {
      send(stream, ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
    }
  }

  /** Half-closes the stream; any thread. */
  final void sendEnd(int stream) {
    ByteBuf frame = raw.alloc().ioBuffer(DATA_HEADER);
    frame.writeInt(stream).writeByte(FLAG_FIN).writeMedium(0);
    raw.writeAndFlush(frame, raw.voidPromise());
  }

  /** Any thread. */
  final void resetStream(int stream, SpdyStreamStatus status) {
    raw.channel().writeAndFlush(new DefaultSpdyRstStreamFrame(stream, status));
  }

  /** Says farewell and closes, after all that was sent before; on the event loop. */
  final void closeConnection() {
    if (!closing) {
      closing = true;
      raw.channel().write(new DefaultSpdyGoAwayFrame(lastStream, SpdySessionStatus.OK));
      GracefulClose.afterFlush(raw.channel());
    }
  }
}
