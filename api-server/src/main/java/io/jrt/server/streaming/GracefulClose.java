package io.jrt.server.streaming;

import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.socket.DuplexChannel;
import java.util.concurrent.TimeUnit;

/**
 * Closing a connection so that what was sent last arrives: a socket that is closed with unread
 * bytes in it answers with a reset, which destroys what is on its way. So the sending side is shut,
 * what still comes is read and thrown away, and the client closes.
 */
@SuppressWarnings("FutureReturnValueIgnored") // a failed write breaks the channel, which is told
final class GracefulClose {
  private static final long PATIENCE_SECONDS = 5;

  private GracefulClose() {}

  /** On the channel's event loop; its handlers must ignore what comes from now on. */
  static void afterFlush(Channel channel) {
    channel
        .writeAndFlush(Unpooled.EMPTY_BUFFER)
        .addListener(
            (ChannelFutureListener)
                sent -> {
                  if (!sent.isSuccess() || !(channel instanceof DuplexChannel duplex)) {
                    channel.close();
                    return;
                  }
                  duplex.shutdownOutput();
                  channel.config().setAutoRead(true);
                  channel
                      .eventLoop()
                      .schedule(() -> channel.close(), PATIENCE_SECONDS, TimeUnit.SECONDS);
                });
  }
}
