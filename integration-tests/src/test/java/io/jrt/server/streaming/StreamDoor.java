package io.jrt.server.streaming;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandler;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.websocketx.WebSocket13FrameDecoder;
import io.netty.handler.codec.http.websocketx.WebSocketDecoderConfig;
import io.netty.handler.codec.spdy.SpdyHeaders;
import org.jspecify.annotations.NullMarked;

/** The way of the fuzz targets to what this package keeps to itself. */
@NullMarked
public final class StreamDoor {
  private StreamDoor() {}

  public static void resize(byte[] bytes) {
    new ResizeDecoder().decode(Unpooled.wrappedBuffer(bytes), _ -> {});
  }

  public static void spdy(byte[] bytes) {
    feed(bytes, SpdyConnection.codec(), new Spdy());
  }

  public static void webSocket(byte[] bytes) {
    feed(
        bytes,
        new WebSocket13FrameDecoder(
            WebSocketDecoderConfig.newBuilder().maxFramePayloadLength(1 << 20).build()),
        new WebSocket());
  }

  private static void feed(byte[] bytes, ChannelHandler... handlers) {
    EmbeddedChannel channel = new EmbeddedChannel(handlers);
    try {
      // In two parts, as a network may cut it.
      int cut = bytes.length / 3;
      channel.writeInbound(Unpooled.wrappedBuffer(bytes, 0, cut));
      if (channel.isOpen()) {
        channel.writeInbound(Unpooled.wrappedBuffer(bytes, cut, bytes.length - cut));
      }
    } catch (io.netty.handler.codec.CodecException refused) {
      channel.close().syncUninterruptibly();
    } finally {
      channel.finishAndReleaseAll();
    }
  }

  private static final class Spdy extends SpdyConnection {
    @Override
    boolean opened(int stream, SpdyHeaders headers) {
      headers.get("streamtype");
      return (stream & 2) == 0;
    }

    @Override
    void accepted(int stream) {}

    @Override
    void data(int stream, ByteBuf data) {
      data.readableBytes();
    }

    @Override
    void halfClosed(int stream) {}

    @Override
    void reset(int stream) {}

    @Override
    void disconnected() {}

    @Override
    void writable() {}
  }

  private static final class WebSocket extends WebSocketConnection {
    WebSocket() {
      super(true);
    }

    @Override
    void connected() {}

    @Override
    void message(int channel, ByteBuf data) {
      data.readableBytes();
    }

    @Override
    void disconnected() {}

    @Override
    void writable() {}
  }
}
