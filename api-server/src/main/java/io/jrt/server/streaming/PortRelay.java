package io.jrt.server.streaming;

import io.jrt.errors.JrtException;
import io.jrt.linux.Fd;
import io.netty.buffer.ByteBuf;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoop;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One TCP connection into a pod on behalf of a client. Runs on the event loop of the client's
 * connection, so that nothing is handed between threads; only the connecting happens elsewhere.
 *
 * <p>A side that takes no more stops the reading of the other. When the pod closes its side, the
 * client gets a second to say its last words. When the client closes its side, the pod gets half a
 * minute: clients that go often say no more than that they send nothing, and a pod that pours would
 * do so for nobody until the whole session ends.
 */
@SuppressWarnings("FutureReturnValueIgnored") // a failed write breaks the channel, which is told
final class PortRelay extends ChannelInboundHandlerAdapter {
  private static final Logger LOG = LoggerFactory.getLogger(PortRelay.class);
  private static final long LAST_WORDS_MILLIS = 1000;
  private static final long LAST_ANSWER_SECONDS = 30;
  private static final int EARLY_LIMIT = 128 * 1024;
  private static final int SMALLEST_READ = 2 * 1024;
  private static final int FIRST_READ = 16 * 1024;
  private static final int LARGEST_READ = 256 * 1024;
  private static final WriteBufferWaterMark WATER_MARK =
      new WriteBufferWaterMark(64 * 1024, 128 * 1024);

  private final StreamingBackend backend;
  private final String podId;
  private final int port;
  private final PortWire wire;
  private final EventLoop eventLoop;
  private final Queue<ByteBuf> early = new ArrayDeque<>();
  private int earlyBytes;
  private @Nullable EpollSocketChannel pod;
  private boolean clientEnded;
  private boolean podEnded;
  private boolean over;

  PortRelay(StreamingBackend backend, String podId, int port, PortWire wire, EventLoop eventLoop) {
    this.backend = backend;
    this.podId = podId;
    this.port = port;
    this.wire = wire;
    this.eventLoop = eventLoop;
  }

  /** Begins to connect. */
  void start() {
    Thread.ofVirtual().name("port-forward").start(this::connect);
  }

  private void connect() {
    try {
      Fd fd = backend.portForward(podId, port);
      eventLoop.execute(() -> connected(fd));
    } catch (JrtException e) {
      eventLoop.execute(() -> finish(String.valueOf(e.getMessage())));
    } catch (RuntimeException e) {
      LOG.error("cannot connect to port {} of pod {}", port, podId, e);
      eventLoop.execute(() -> finish("cannot connect to port " + port + ": " + e.getMessage()));
    }
  }

  private void connected(Fd fd) {
    if (over) {
      fd.close();
      return;
    }
    EpollSocketChannel channel = new EpollSocketChannel(fd.detach());
    channel
        .config()
        .setAllowHalfClosure(true)
        .setWriteBufferWaterMark(WATER_MARK)
        .setRecvByteBufAllocator(
            new AdaptiveRecvByteBufAllocator(SMALLEST_READ, FIRST_READ, LARGEST_READ));
    channel.pipeline().addLast(this);
    pod = channel;
    eventLoop
        .register(channel)
        .addListener(
            registered -> {
              if (!registered.isSuccess()) {
                finish("cannot use the connection: " + registered.cause().getMessage());
                return;
              }
              for (ByteBuf data = early.poll(); data != null; data = early.poll()) {
                channel.write(data, channel.voidPromise());
              }
              channel.flush();
              if (clientEnded) {
                shutdownOutput(channel);
              }
              holdIfNeeded(channel);
            });
  }

  /** Bytes from the client; the buffer is the caller's to release. */
  void clientData(ByteBuf data) {
    if (over || clientEnded) {
      return;
    }
    EpollSocketChannel channel = pod;
    if (channel != null && channel.isRegistered()) {
      channel.writeAndFlush(data.retainedDuplicate(), channel.voidPromise());
      return;
    }
    early.add(data.retainedDuplicate());
    earlyBytes += data.readableBytes();
    if (earlyBytes > EARLY_LIMIT) {
      wire.holdInput(this, true);
    }
  }

  /** The client sends nothing more; it may still read. */
  void clientEnd() {
    if (!clientEnded) {
      clientEnded = true;
      eventLoop.schedule(() -> finish(""), LAST_ANSWER_SECONDS, TimeUnit.SECONDS);
      EpollSocketChannel channel = pod;
      if (channel != null && channel.isRegistered()) {
        shutdownOutput(channel);
      }
    }
  }

  /** The client is gone. */
  void clientGone() {
    finish("");
  }

  /** The client takes more again. */
  void clientWritable() {
    EpollSocketChannel channel = pod;
    if (channel != null && !over && !podEnded) {
      channel.config().setAutoRead(true);
    }
  }

  private static void shutdownOutput(EpollSocketChannel channel) {
    // An empty write comes after all that was written before.
    channel
        .writeAndFlush(channel.alloc().buffer(0))
        .addListener(
            sent -> {
              if (channel.isActive()) {
                channel.shutdownOutput();
              }
            });
  }

  private void holdIfNeeded(EpollSocketChannel channel) {
    wire.holdInput(this, !channel.isWritable());
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    ByteBuf data = (ByteBuf) message;
    if (over) {
      data.release();
      return;
    }
    wire.data(data);
    if (!wire.isWritable()) {
      ctx.channel().config().setAutoRead(false);
    }
  }

  /** What one turn of reading brought goes out together. */
  @Override
  public void channelReadComplete(ChannelHandlerContext ctx) {
    if (!over) {
      wire.flush();
    }
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    if (event instanceof ChannelInputShutdownEvent && !over) {
      podEnded = true;
      wire.endData();
      if (clientEnded) {
        finish("");
      } else {
        eventLoop.schedule(() -> finish(""), LAST_WORDS_MILLIS, TimeUnit.MILLISECONDS);
      }
    }
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext ctx) {
    EpollSocketChannel channel = pod;
    if (channel != null && !over) {
      holdIfNeeded(channel);
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    finish("");
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    // After the pod's last byte there is nothing to break: Netty may then touch a closed
    // descriptor.
    finish(podEnded ? "" : "connection to port " + port + " broke: " + cause.getMessage());
  }

  private void finish(String error) {
    if (over) {
      return;
    }
    over = true;
    for (ByteBuf data = early.poll(); data != null; data = early.poll()) {
      data.release();
    }
    wire.holdInput(this, false);
    EpollSocketChannel channel = pod;
    if (channel != null) {
      channel.close();
    }
    wire.done(error);
  }
}
