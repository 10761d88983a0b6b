package io.jrt.server.rpc;

import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.jrt.cri.v1.RuntimeServiceGrpc;
import io.jrt.cri.v1.VersionRequest;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.unix.DomainSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether the daemon serves: asks it for its version as the kubelet does, over its socket. What
 * stops it from answering the kubelet (event loops that hang, threads that are not scheduled, a
 * heap that is only collected) stops it from answering this.
 */
public final class SelfCheck implements BooleanSupplier, AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(SelfCheck.class);

  private final Duration patience;
  private final EventLoopGroup loop;
  private final ManagedChannel channel;

  /**
   * @param patience how long an answer may take
   */
  public SelfCheck(Path socket, Duration patience) {
    this.patience = patience;
    this.loop = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
    this.channel =
        NettyChannelBuilder.forAddress(new DomainSocketAddress(socket.toFile()))
            .channelType(EpollDomainSocketChannel.class)
            .withOption(ChannelOption.SO_KEEPALIVE, null)
            .eventLoopGroup(loop)
            .overrideAuthority("localhost")
            .directExecutor()
            .usePlaintext()
            .build();
  }

  @Override
  public boolean getAsBoolean() {
    try {
      return !RuntimeServiceGrpc.newBlockingStub(channel)
          .withDeadlineAfter(patience.toNanos(), TimeUnit.NANOSECONDS)
          .version(VersionRequest.getDefaultInstance())
          .getRuntimeName()
          .isEmpty();
    } catch (StatusRuntimeException e) {
      log.warn("the daemon does not answer itself: {}", e.getStatus());
      return false;
    }
  }

  @Override
  public void close() {
    channel.shutdownNow();
    loop.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(2, TimeUnit.SECONDS);
  }
}
