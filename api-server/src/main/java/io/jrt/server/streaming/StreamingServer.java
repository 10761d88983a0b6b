package io.jrt.server.streaming;

import io.jrt.core.ExecRequest;
import io.jrt.core.io.AttachRequest;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.timeout.IdleStateHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLException;

/**
 * Serves exec, attach and port-forward over SPDY/3.1 and WebSocket.
 *
 * <p>The gRPC calls leave what was asked for here and give the client a URL with a random token;
 * the first request to that URL within {@link StreamingConfig#tokenLifetime} gets it. What the
 * URL's query says is never looked at.
 *
 * <p>A connection costs no thread. A client that reads no more holds the process or the port at the
 * other end, and what lies in memory for it is about half a megabyte at most.
 */
@SuppressWarnings("FutureReturnValueIgnored") // a failed write breaks the channel, which is told
public final class StreamingServer implements AutoCloseable {
  private static final int MAX_REQUEST_BODY = 64 * 1024;
  private static final WriteBufferWaterMark WATER_MARK =
      new WriteBufferWaterMark(64 * 1024, 256 * 1024);

  private final Tokens tokens;
  private final EventLoopGroup eventLoops;
  private final ChannelGroup connections;
  private final Channel listener;
  private final String baseUrl;
  private final String certificates;

  private StreamingServer(
      Tokens tokens,
      EventLoopGroup eventLoops,
      ChannelGroup connections,
      Channel listener,
      String baseUrl,
      String certificates) {
    this.tokens = tokens;
    this.eventLoops = eventLoops;
    this.connections = connections;
    this.listener = listener;
    this.baseUrl = baseUrl;
    this.certificates = certificates;
  }

  /**
   * Listens.
   *
   * @throws JrtException INVALID when certificate and key are of no use; UNAVAILABLE when the
   *     address is in use or not this machine's
   */
  public static StreamingServer start(StreamingConfig config, StreamingBackend backend) {
    Optional<SslContext> tls = config.tls().map(StreamingServer::tls);
    String certificates = config.tls().map(StreamingServer::certificates).orElse("");
    Tokens tokens = new Tokens(config.tokenLifetime(), System::nanoTime);
    ChannelGroup connections = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE);
    EventLoopGroup loops =
        new MultiThreadIoEventLoopGroup(
            Math.clamp(Runtime.getRuntime().availableProcessors(), 1, 4),
            new DefaultThreadFactory("streaming", true),
            EpollIoHandler.newFactory());
    ChannelFuture bound =
        new ServerBootstrap()
            .group(loops)
            .channel(EpollServerSocketChannel.class)
            .option(ChannelOption.SO_BACKLOG, 512)
            .childOption(ChannelOption.TCP_NODELAY, true)
            .childOption(ChannelOption.ALLOW_HALF_CLOSURE, false)
            .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, WATER_MARK)
            .childHandler(
                new ChannelInitializer<Channel>() {
                  @Override
                  protected void initChannel(Channel channel) {
                    connections.add(channel);
                    tls.ifPresent(t -> channel.pipeline().addLast(t.newHandler(channel.alloc())));
                    channel
                        .pipeline()
                        .addLast(
                            new IdleStateHandler(
                                0, 0, config.idleTimeout().toMillis(), TimeUnit.MILLISECONDS),
                            new HttpServerCodec(),
                            new HttpObjectAggregator(MAX_REQUEST_BODY),
                            new UpgradeHandler(tokens, backend, config));
                  }
                })
            .bind(config.host(), config.port())
            .awaitUninterruptibly();
    if (!bound.isSuccess()) {
      loops.shutdownGracefully(0, 0, TimeUnit.SECONDS);
      throw new JrtException(
          ErrorKind.UNAVAILABLE,
          "start streaming server",
          "cannot listen on " + config.host() + ":" + config.port(),
          bound.cause());
    }
    Channel listener = bound.channel();
    int port = ((InetSocketAddress) listener.localAddress()).getPort();
    String host = config.host().contains(":") ? "[" + config.host() + "]" : config.host();
    String baseUrl = (tls.isPresent() ? "https://" : "http://") + host + ":" + port;
    return new StreamingServer(tokens, loops, connections, listener, baseUrl, certificates);
  }

  private static SslContext tls(StreamingConfig.Tls files) {
    try {
      return SslContextBuilder.forServer(files.certificate().toFile(), files.key().toFile())
          .build();
    } catch (SSLException | IllegalArgumentException e) {
      throw new JrtException(
          ErrorKind.INVALID,
          "start streaming server",
          "cannot use certificate " + files.certificate() + " with key " + files.key(),
          e);
    }
  }

  private static String certificates(StreamingConfig.Tls files) {
    try {
      return Files.readString(files.certificate(), StandardCharsets.US_ASCII);
    } catch (IOException e) {
      throw new JrtException(
          ErrorKind.INVALID, "start streaming server", "cannot read " + files.certificate(), e);
    }
  }

  /** PEM text of the certificates that clients are shown; empty without TLS. */
  public String certificates() {
    return certificates;
  }

  /**
   * A URL that runs the command once.
   *
   * @throws JrtException EXHAUSTED when a thousand URLs wait for their clients; INVALID when the
   *     streams asked for make no sense
   */
  public URI exec(String containerId, ExecRequest request) {
    if (containerId.isEmpty()) {
      throw new JrtException(ErrorKind.INVALID, "exec", "container id is missing");
    }
    if (request.tty() && request.stderr()) {
      throw new JrtException(
          ErrorKind.INVALID, "exec", "a terminal has no stderr of its own: tty and stderr exclude");
    }
    if (!request.stdin() && !request.stdout() && !request.stderr()) {
      throw new JrtException(
          ErrorKind.INVALID, "exec", "none of stdin, stdout and stderr was asked for");
    }
    return url(new StreamRequest.Exec(containerId, request));
  }

  /**
   * A URL that attaches once.
   *
   * @param tty whether the container has a terminal
   */
  public URI attach(String containerId, AttachRequest request, boolean tty) {
    if (containerId.isEmpty()) {
      throw new JrtException(ErrorKind.INVALID, "attach", "container id is missing");
    }
    if (tty && request.stderr()) {
      throw new JrtException(
          ErrorKind.INVALID,
          "attach",
          "a terminal has no stderr of its own: tty and stderr exclude");
    }
    return url(new StreamRequest.Attach(containerId, request, tty));
  }

  /**
   * A URL over which ports of the pod can be reached.
   *
   * @param ports those that a WebSocket client will use; SPDY clients name theirs as they go
   */
  public URI portForward(String podId, List<Integer> ports) {
    if (podId.isEmpty()) {
      throw new JrtException(ErrorKind.INVALID, "port-forward", "pod sandbox id is missing");
    }
    return url(new StreamRequest.PortForward(podId, ports));
  }

  private URI url(StreamRequest request) {
    return URI.create(baseUrl + "/" + request.verb() + "/" + tokens.issue(request));
  }

  /** How many clients are connected. */
  public int connections() {
    return connections.size();
  }

  /** Stops listening and closes every connection. */
  @Override
  public void close() {
    listener.close().awaitUninterruptibly();
    connections.close().awaitUninterruptibly();
    eventLoops.shutdownGracefully(0, 2, TimeUnit.SECONDS).awaitUninterruptibly();
  }
}
