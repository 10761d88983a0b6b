package io.jrt.it;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.epoll.EpollDomainDatagramChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.unix.DomainDatagramPacket;
import io.netty.channel.unix.DomainSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/** The end of sd_notify that systemd has otherwise. */
final class NotifySocket implements AutoCloseable {
  private final EventLoopGroup loop =
      new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
  private final BlockingQueue<String> messages = new LinkedBlockingQueue<>();
  private final Channel channel;

  NotifySocket(Path path) {
    channel =
        new Bootstrap()
            .group(loop)
            .channel(EpollDomainDatagramChannel.class)
            .handler(new Reader())
            .bind(new DomainSocketAddress(path.toFile()))
            .syncUninterruptibly()
            .channel();
  }

  private final class Reader extends SimpleChannelInboundHandler<DomainDatagramPacket> {
    @Override
    protected void channelRead0(ChannelHandlerContext context, DomainDatagramPacket packet) {
      messages.add(packet.content().toString(StandardCharsets.UTF_8));
    }
  }

  /** The next message of that kind; others before it are passed over. */
  String await(Predicate<String> wanted, Duration patience) throws InterruptedException {
    long end = System.nanoTime() + patience.toNanos();
    StringBuilder seen = new StringBuilder();
    while (true) {
      String message = messages.poll(end - System.nanoTime(), TimeUnit.NANOSECONDS);
      if (message == null) {
        throw new AssertionError("no such message; there were: " + seen);
      }
      if (wanted.test(message)) {
        return message;
      }
      seen.append(message).append(" | ");
    }
  }

  @Override
  public void close() {
    channel.close().syncUninterruptibly();
    loop.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
  }
}
