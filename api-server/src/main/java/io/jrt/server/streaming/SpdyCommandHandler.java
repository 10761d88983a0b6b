package io.jrt.server.streaming;

import io.jrt.core.io.OutputStreamKind;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.EventLoop;
import io.netty.handler.codec.spdy.SpdyHeaders;
import io.netty.handler.codec.spdy.SpdyStreamStatus;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Exec and attach over SPDY/3.1, protocols v1 to v4 of remotecommand. */
@SuppressWarnings("FutureReturnValueIgnored") // a failed write breaks the channel, which is told
final class SpdyCommandHandler extends SpdyConnection implements CommandWire {
  private static final Logger LOG = LoggerFactory.getLogger(SpdyCommandHandler.class);

  private final int version;
  private final Duration creationTimeout;
  private final Set<StreamType> expected = EnumSet.of(StreamType.ERROR);
  private final Map<StreamType, Integer> ids = new EnumMap<>(StreamType.class);
  private final Map<Integer, StreamType> types = new HashMap<>();

  /** The ids again, for the threads that write. */
  private final Map<OutputStreamKind, Integer> outputs = new ConcurrentHashMap<>();

  private final RemoteCommand command;
  private boolean started;
  private boolean inputHalfClosed;

  /** The streams of a command, by their names on the wire. */
  private enum StreamType {
    ERROR,
    STDIN,
    STDOUT,
    STDERR,
    RESIZE
  }

  /**
   * @param version of the remotecommand protocol, 1 to 4
   */
  SpdyCommandHandler(
      StreamingBackend backend,
      StreamRequest.Command request,
      int version,
      Duration creationTimeout) {
    this.version = version;
    this.creationTimeout = creationTimeout;
    if (request.stdin()) {
      expected.add(StreamType.STDIN);
    }
    if (request.stdout()) {
      expected.add(StreamType.STDOUT);
    }
    if (request.stderr() && !request.tty()) {
      expected.add(StreamType.STDERR);
    }
    if (request.tty() && version >= 3) {
      expected.add(StreamType.RESIZE);
    }
    this.command = new RemoteCommand(backend, request, this);
  }

  @Override
  public void handlerAdded(ChannelHandlerContext ctx) {
    super.handlerAdded(ctx);
    ctx.executor().schedule(this::checkStreams, creationTimeout.toMillis(), TimeUnit.MILLISECONDS);
  }

  private void checkStreams() {
    if (!started) {
      expected.removeAll(ids.keySet());
      command.fail("timed out waiting for the client to open streams " + expected);
    }
  }

  @Override
  boolean opened(int stream, SpdyHeaders headers) {
    StreamType type = type(headers);
    if (type == null || ids.containsKey(type)) {
      LOG.debug("stream {} is of no known type or one too many", stream);
      return false;
    }
    ids.put(type, stream);
    types.put(stream, type);
    switch (type) {
      case STDOUT -> outputs.put(OutputStreamKind.STDOUT, stream);
      case STDERR -> outputs.put(OutputStreamKind.STDERR, stream);
      case ERROR, STDIN, RESIZE -> {}
    }
    return true;
  }

  private static @Nullable StreamType type(SpdyHeaders headers) {
    CharSequence name = headers.get("streamtype");
    if (name != null) {
      for (StreamType type : StreamType.values()) {
        if (type.name().toLowerCase(Locale.ROOT).contentEquals(name)) {
          return type;
        }
      }
    }
    return null;
  }

  @Override
  void accepted(int stream) {
    if (!started && ids.keySet().containsAll(expected)) {
      started = true;
      Integer error = ids.get(StreamType.ERROR);
      if (version == 1 && error != null) {
        // Clients of v1 expect this of old: they take a status for an error, whatever it says.
        resetStream(error, SpdyStreamStatus.CANCEL);
      }
      command.start();
    }
  }

  @Override
  void data(int stream, ByteBuf data) {
    StreamType type = types.get(stream);
    if (type == StreamType.STDIN && !inputHalfClosed) {
      command.input(data);
    } else if (type == StreamType.RESIZE) {
      command.resize(data);
    }
  }

  @Override
  void halfClosed(int stream) {
    if (types.get(stream) == StreamType.STDIN && !inputHalfClosed) {
      inputHalfClosed = true;
      command.endInput();
    }
  }

  @Override
  void reset(int stream) {
    halfClosed(stream);
  }

  @Override
  void disconnected() {
    command.disconnected();
  }

  @Override
  void writable() {
    command.writable();
  }

  @Override
  public boolean output(OutputStreamKind stream, ByteBuffer bytes) {
    Integer id = outputs.get(stream);
    if (id != null) {
      send(id, bytes);
    }
    return isWritable();
  }

  @Override
  public void end(OutputStreamKind stream) {
    Integer id = outputs.remove(stream);
    if (id != null) {
      sendEnd(id);
    }
  }

  @Override
  public void finish(CommandStatus status) {
    eventLoop()
        .execute(
            () -> {
              end(OutputStreamKind.STDOUT);
              end(OutputStreamKind.STDERR);
              Integer error = ids.get(StreamType.ERROR);
              if (error != null && version > 1) {
                sendText(error, version >= 4 ? status.json() : status.text());
                sendEnd(error);
              }
              closeConnection();
            });
  }

  @Override
  public boolean isWritable() {
    return raw().channel().isWritable();
  }

  @Override
  public void holdInput(boolean hold) {
    raw().channel().config().setAutoRead(!hold);
  }

  @Override
  public EventLoop eventLoop() {
    return raw().channel().eventLoop();
  }
}
