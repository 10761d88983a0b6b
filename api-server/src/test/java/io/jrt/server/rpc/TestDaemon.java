package io.jrt.server.rpc;

import io.grpc.BindableService;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.unix.DomainSocketAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;

/** A server on a socket of its own, and a client that is connected to it. */
public final class TestDaemon implements AutoCloseable {
  private final UnixServer server;
  private final EventLoopGroup loops;
  private final ManagedChannel channel;

  private TestDaemon(UnixServer server, Path socket) {
    this.server = server;
    this.loops = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
    this.channel = connect(socket, loops);
  }

  public static TestDaemon serving(Path socket, BindableService... services) {
    return new TestDaemon(
        UnixServer.start(socket, OptionalInt.empty(), List.of(services), CallObserver.NONE),
        socket);
  }

  public static ManagedChannel connect(Path socket, EventLoopGroup loops) {
    return NettyChannelBuilder.forAddress(new DomainSocketAddress(socket.toFile()))
        .eventLoopGroup(loops)
        .channelType(EpollDomainSocketChannel.class)
        .withOption(ChannelOption.SO_KEEPALIVE, null)
        .maxInboundMessageSize(64 << 20)
        .overrideAuthority("localhost")
        .usePlaintext()
        .build();
  }

  public ManagedChannel channel() {
    return channel;
  }

  @Override
  public void close() {
    channel.shutdownNow();
    server.close();
    loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(2, TimeUnit.SECONDS);
  }
}
