package io.jrt.server.streaming;

import io.jrt.server.streaming.StreamRequest.Command;
import io.jrt.server.streaming.StreamRequest.PortForward;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.websocketx.WebSocketDecoderConfig;
import io.netty.handler.codec.http.websocketx.WebSocketFrameAggregator;
import io.netty.handler.codec.http.websocketx.WebSocketServerHandshaker;
import io.netty.handler.codec.http.websocketx.WebSocketServerHandshakerFactory;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The HTTP side of a connection: redeems the token in the path and turns the connection into SPDY
 * or WebSocket with the first protocol of the client's that the server knows.
 */
@SuppressWarnings("FutureReturnValueIgnored") // a failed write breaks the channel, which is told
final class UpgradeHandler extends SimpleChannelInboundHandler<FullHttpRequest> {
  private static final Logger LOG = LoggerFactory.getLogger(UpgradeHandler.class);
  private static final String STREAM_PROTOCOL = "X-Stream-Protocol-Version";
  private static final String ACCEPTED_PROTOCOLS = "X-Accepted-Stream-Protocol-Versions";
  private static final String PORT_FORWARD_PROTOCOL = "portforward.k8s.io";
  private static final List<String> COMMAND_PROTOCOLS =
      List.of("v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io");
  private static final List<String> PORT_FORWARD_PROTOCOLS = List.of(PORT_FORWARD_PROTOCOL);
  private static final int MAX_MESSAGE = 1024 * 1024;

  private final Tokens tokens;
  private final StreamingBackend backend;
  private final StreamingConfig config;

  UpgradeHandler(Tokens tokens, StreamingBackend backend, StreamingConfig config) {
    this.tokens = tokens;
    this.backend = backend;
    this.config = config;
  }

  @Override
  protected void channelRead0(ChannelHandlerContext ctx, FullHttpRequest http) {
    if (http.decoderResult().isFailure()) {
      refuse(ctx, HttpResponseStatus.BAD_REQUEST, "bad request");
      return;
    }
    if (!http.method().equals(HttpMethod.GET) && !http.method().equals(HttpMethod.POST)) {
      refuse(ctx, HttpResponseStatus.METHOD_NOT_ALLOWED, "use GET or POST");
      return;
    }
    String path = http.uri().split("\\?", 2)[0];
    String[] parts = path.split("/", -1);
    boolean webSocket = isUpgrade(http, "websocket");
    boolean spdy = isUpgrade(http, "SPDY/3.1");
    if (parts.length != 3 || !parts[0].isEmpty()) {
      refuse(ctx, HttpResponseStatus.NOT_FOUND, "not found");
      return;
    }
    Optional<StreamRequest> request = tokens.redeem(parts[1], parts[2]);
    if (request.isEmpty()) {
      refuse(
          ctx,
          HttpResponseStatus.NOT_FOUND,
          "no such streaming request: each URL works once and for "
              + config.tokenLifetime().toSeconds()
              + " s");
    } else if (webSocket) {
      upgradeToWebSocket(ctx, http, request.get());
    } else if (spdy) {
      upgradeToSpdy(ctx, http, request.get());
    } else {
      refuse(ctx, HttpResponseStatus.BAD_REQUEST, "not an upgrade to SPDY/3.1 or websocket");
    }
  }

  private static boolean isUpgrade(FullHttpRequest http, String protocol) {
    HttpHeaders headers = http.headers();
    return headers.containsValue(HttpHeaderNames.CONNECTION, HttpHeaderValues.UPGRADE, true)
        && headers.containsValue(HttpHeaderNames.UPGRADE, protocol, true);
  }

  private void upgradeToSpdy(
      ChannelHandlerContext ctx, FullHttpRequest http, StreamRequest request) {
    List<String> known =
        switch (request) {
          case Command command -> COMMAND_PROTOCOLS;
          case PortForward forward -> PORT_FORWARD_PROTOCOLS;
        };
    List<String> wanted = list(http.headers().getAll(STREAM_PROTOCOL));
    if (wanted.isEmpty()) {
      refuse(ctx, HttpResponseStatus.BAD_REQUEST, "header " + STREAM_PROTOCOL + " is missing");
      return;
    }
    Optional<String> chosen = wanted.stream().filter(known::contains).findFirst();
    if (chosen.isEmpty()) {
      FullHttpResponse response =
          response(HttpResponseStatus.FORBIDDEN, "none of the protocols " + wanted + " is known");
      response.headers().add(ACCEPTED_PROTOCOLS, known);
      ctx.writeAndFlush(response).addListener(ChannelFutureListener.CLOSE);
      return;
    }
    FullHttpResponse response =
        new DefaultFullHttpResponse(
            HttpVersion.HTTP_1_1, HttpResponseStatus.SWITCHING_PROTOCOLS, Unpooled.EMPTY_BUFFER);
    response
        .headers()
        .set(HttpHeaderNames.CONNECTION, HttpHeaderValues.UPGRADE)
        .set(HttpHeaderNames.UPGRADE, "SPDY/3.1")
        .set(STREAM_PROTOCOL, chosen.get());
    ctx.writeAndFlush(response);
    ChannelPipeline pipeline = ctx.pipeline();
    pipeline.addLast(new ReadGate());
    pipeline.addLast(SpdyConnection.codec());
    pipeline.addLast(
        switch (request) {
          case Command command ->
              new SpdyCommandHandler(
                  backend, command, version(chosen.get()), config.creationTimeout());
          case PortForward forward ->
              new SpdyPortForwardHandler(backend, forward, config.creationTimeout());
        });
    leaveHttp(ctx);
  }

  private static int version(String protocol) {
    return protocol.equals("channel.k8s.io") ? 1 : protocol.charAt(1) - '0';
  }

  private void upgradeToWebSocket(
      ChannelHandlerContext ctx, FullHttpRequest http, StreamRequest request) {
    List<String> wanted = list(http.headers().getAll(HttpHeaderNames.SEC_WEBSOCKET_PROTOCOL));
    Optional<String> chosen =
        wanted.isEmpty()
            ? Optional.of("")
            : wanted.stream().filter(name -> serves(request, name)).findFirst();
    if (chosen.isEmpty()) {
      refuse(ctx, HttpResponseStatus.FORBIDDEN, "none of the protocols " + wanted + " is known");
      return;
    }
    String name = chosen.get();
    WebSocketServerHandshaker handshaker =
        new WebSocketServerHandshakerFactory(
                http.uri(),
                name.isEmpty() ? null : name,
                WebSocketDecoderConfig.newBuilder()
                    .maxFramePayloadLength(MAX_MESSAGE)
                    .allowExtensions(false)
                    .build())
            .newHandshaker(http);
    if (handshaker == null) {
      WebSocketServerHandshakerFactory.sendUnsupportedVersionResponse(ctx.channel());
      return;
    }
    // The handshaker takes the HTTP codec out of the pipeline itself.
    ChannelPipeline pipeline = ctx.pipeline();
    handshaker.handshake(ctx.channel(), http);
    pipeline.addLast(new WebSocketFrameAggregator(MAX_MESSAGE));
    if (name.equals(WebSocketProtocol.TUNNEL) && request instanceof PortForward forward) {
      pipeline.addLast(new WebSocketTunnel());
      pipeline.addLast(new ReadGate());
      pipeline.addLast(SpdyConnection.codec());
      pipeline.addLast(new SpdyPortForwardHandler(backend, forward, config.creationTimeout()));
      pipeline.remove(this);
      return;
    }
    WebSocketProtocol protocol = WebSocketProtocol.named(name).orElseThrow();
    WebSocketConnection connection =
        switch (request) {
          case Command command -> new WebSocketCommandHandler(backend, command, protocol);
          case PortForward forward -> new WebSocketPortForwardHandler(backend, forward, protocol);
        };
    pipeline.addLast(connection);
    pipeline.remove(this);
    connection.connected();
  }

  private static boolean serves(StreamRequest request, String name) {
    return switch (request) {
      case Command command -> WebSocketProtocol.named(name).isPresent();
      case PortForward forward ->
          name.equals(WebSocketProtocol.TUNNEL)
              || WebSocketProtocol.named(name).filter(p -> p.version() == 4).isPresent();
    };
  }

  /** Header values as sent in several headers, in lists, or both. */
  private static List<String> list(List<String> values) {
    List<String> names = new ArrayList<>();
    for (String value : values) {
      for (String name : value.split(",", -1)) {
        if (!name.isBlank()) {
          names.add(name.strip());
        }
      }
    }
    return names;
  }

  /** What HTTP has read too much goes to the handlers that come after. */
  private void leaveHttp(ChannelHandlerContext ctx) {
    ChannelPipeline pipeline = ctx.pipeline();
    pipeline.remove(this);
    pipeline.remove(HttpObjectAggregator.class);
    pipeline.remove(HttpServerCodec.class);
  }

  private static void refuse(ChannelHandlerContext ctx, HttpResponseStatus status, String why) {
    ctx.writeAndFlush(response(status, why)).addListener(ChannelFutureListener.CLOSE);
  }

  private static FullHttpResponse response(HttpResponseStatus status, String text) {
    FullHttpResponse response =
        new DefaultFullHttpResponse(
            HttpVersion.HTTP_1_1,
            status,
            Unpooled.copiedBuffer(text + "\n", StandardCharsets.UTF_8));
    response
        .headers()
        .set(HttpHeaderNames.CONTENT_TYPE, "text/plain; charset=utf-8")
        .set(HttpHeaderNames.CONTENT_LENGTH, response.content().readableBytes())
        .set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
    return response;
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    LOG.debug("streaming connection broken", cause);
    ctx.close();
  }
}
