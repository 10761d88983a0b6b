package io.jrt.server.rpc;

import io.grpc.BindableService;
import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.netty.channel.ChannelFactory;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import java.io.IOException;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.GroupPrincipal;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * gRPC on a unix socket that only root can reach. Each call has a virtual thread of its own; two
 * event loops move the bytes.
 */
public final class UnixServer implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(UnixServer.class);
  private static final String STEP = "listen";
  private static final int MAX_INBOUND = 16 << 20;
  private static final int MAX_HEADERS = 64 << 10;

  private final Server server;
  private final @Nullable SocketFile socket;
  private final EventLoopGroup loops;
  private final ExecutorService calls;

  private UnixServer(
      Server server, @Nullable SocketFile socket, EventLoopGroup loops, ExecutorService calls) {
    this.server = server;
    this.socket = socket;
    this.loops = loops;
    this.calls = calls;
  }

  /**
   * Listens.
   *
   * @param socket where; the file of a daemon that is gone is replaced
   * @param handed a listening socket that systemd has made and keeps, if it has
   * @throws JrtException FAILED_PRECONDITION when another daemon listens there
   */
  public static UnixServer start(
      Path socket, OptionalInt handed, List<BindableService> services, CallObserver observer) {
    return start(socket, "", handed, services, observer);
  }

  /**
   * Listens.
   *
   * @param group whose members may connect, too; empty for none
   */
  public static UnixServer start(
      Path socket,
      String group,
      OptionalInt handed,
      List<BindableService> services,
      CallObserver observer) {
    if (handed.isEmpty()) {
      SocketFile.prepare(socket, STEP);
    }
    boolean epoll = Epoll.isAvailable();
    if (!epoll) {
      log.warn("no epoll for the socket, NIO serves: {}", Epoll.unavailabilityCause().toString());
    }
    IoHandlerFactory io = epoll ? EpollIoHandler.newFactory() : NioIoHandler.newFactory();
    EventLoopGroup loops = new MultiThreadIoEventLoopGroup(2, io);
    ExecutorService calls =
        Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("call-", 0).factory());
    SocketAddress address =
        epoll ? new DomainSocketAddress(socket.toFile()) : UnixDomainSocketAddress.of(socket);
    int ownUid = ownUid();
    Optional<GroupPrincipal> members = group(socket, group);
    OptionalInt gid = members.map(UnixServer::gid).orElse(OptionalInt.empty());
    ChannelFactory<ServerChannel> channel =
        epoll ? () -> listening(ownUid, gid, handed) : NioServerDomainSocketChannel::new;
    NettyServerBuilder builder =
        NettyServerBuilder.forAddress(address)
            .channelFactory(channel)
            .bossEventLoopGroup(loops)
            .workerEventLoopGroup(loops)
            // A unix socket has no keep-alive; Netty would warn about the option at each
            // connection.
            .withChildOption(ChannelOption.SO_KEEPALIVE, null)
            .executor(calls)
            .maxInboundMessageSize(MAX_INBOUND)
            .maxInboundMetadataSize(MAX_HEADERS)
            .permitKeepAliveWithoutCalls(true)
            .permitKeepAliveTime(5, TimeUnit.SECONDS)
            .intercept(new CallInterceptor(observer));
    services.forEach(builder::addService);
    try {
      Server server = builder.build().start();
      if (handed.isPresent()) {
        log.info("listens on the socket that systemd has opened");
        return new UnixServer(server, null, loops, calls);
      }
      if (members.isPresent()) {
        Files.getFileAttributeView(socket, PosixFileAttributeView.class, LinkOption.NOFOLLOW_LINKS)
            .setGroup(members.get());
        letThrough(socket);
      }
      Files.setPosixFilePermissions(
          socket, PosixFilePermissions.fromString(members.isPresent() ? "rw-rw----" : "rw-------"));
      return new UnixServer(server, SocketFile.bound(socket), loops, calls);
    } catch (IOException e) {
      loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(2, TimeUnit.SECONDS);
      calls.close();
      throw new JrtException(ErrorKind.UNAVAILABLE, STEP, "cannot listen on " + socket, e);
    }
  }

  /** A directory of root's alone can be passed then, and still not be listed. */
  private static void letThrough(Path socket) throws IOException {
    Path directory = socket.toAbsolutePath().getParent();
    if (directory != null
        && Files.getPosixFilePermissions(directory)
            .equals(PosixFilePermissions.fromString("rwx------"))) {
      Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx--x--x"));
    }
  }

  private static Optional<GroupPrincipal> group(Path socket, String name) {
    if (name.isEmpty()) {
      return Optional.empty();
    }
    try {
      return Optional.of(
          socket.getFileSystem().getUserPrincipalLookupService().lookupPrincipalByGroupName(name));
    } catch (IOException e) {
      throw new JrtException(
          ErrorKind.INVALID, STEP, "the node has no group \"" + name + "\" for its socket", e);
    }
  }

  /** The JDK tells the number of a group only where it has no name; a file tells it always. */
  private static OptionalInt gid(GroupPrincipal group) {
    try {
      Path probe = Files.createTempFile("jrt-group", "");
      try {
        Files.getFileAttributeView(probe, PosixFileAttributeView.class).setGroup(group);
        return OptionalInt.of((Integer) Files.getAttribute(probe, "unix:gid"));
      } finally {
        Files.delete(probe);
      }
    } catch (IOException e) {
      throw new JrtException(
          ErrorKind.UNAVAILABLE, STEP, "cannot give a file to group " + group.getName(), e);
    }
  }

  private static ServerChannel listening(int ownUid, OptionalInt gid, OptionalInt handed) {
    var channel =
        handed.isPresent()
            ? new EpollServerDomainSocketChannel(handed.getAsInt(), true)
            : new EpollServerDomainSocketChannel();
    if (handed.isPresent()) {
      channel.pipeline().addLast(new BoundAlready());
    }
    channel.pipeline().addLast(new PeerCheck(ownUid, gid));
    return channel;
  }

  /** Keeps the server from binding a socket that was bound, and listens, before it came here. */
  private static final class BoundAlready extends ChannelOutboundHandlerAdapter {
    @Override
    public void bind(ChannelHandlerContext context, SocketAddress address, ChannelPromise done) {
      done.setSuccess();
    }
  }

  private static int ownUid() {
    try {
      return (int) Files.getAttribute(Path.of("/proc/self"), "unix:uid");
    } catch (IOException | UnsupportedOperationException e) {
      throw new JrtException(ErrorKind.INTERNAL, STEP, "cannot tell the daemon's own user", e);
    }
  }

  /** Takes no new calls, lets those under way end for a while, then cuts them off. */
  @Override
  public void close() {
    if (socket != null) {
      socket.remove();
    }
    server.shutdown();
    try {
      if (!server.awaitTermination(2, TimeUnit.SECONDS)) {
        server.shutdownNow();
        server.awaitTermination(2, TimeUnit.SECONDS);
      }
    } catch (InterruptedException e) {
      server.shutdownNow();
      Thread.currentThread().interrupt();
    }
    calls.shutdownNow();
    loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(2, TimeUnit.SECONDS);
  }
}
