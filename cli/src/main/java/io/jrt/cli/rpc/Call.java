package io.jrt.cli.rpc;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Map;
import java.util.Optional;

/**
 * One gRPC call on a connection of its own: {@link #send} the request messages, {@link #halfClose},
 * then take answers with {@link #next} until there is none. Not safe for use by two threads, save
 * that {@link #close} may be called from any to cut the call short.
 *
 * <p>Life of a connection: preface and settings (no header table, large windows) and the request
 * headers leave in one write; the peer's settings are acknowledged when they come; its stream
 * window holds back what is sent, ours is topped up as messages are taken.
 */
public final class Call implements AutoCloseable {
  private static final byte[] PREFACE =
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

  private static final int DATA = 0;
  private static final int HEADERS = 1;
  private static final int RST_STREAM = 3;
  private static final int SETTINGS = 4;
  private static final int PING = 6;
  private static final int GOAWAY = 7;
  private static final int WINDOW_UPDATE = 8;
  private static final int CONTINUATION = 9;

  private static final int END_STREAM = 0x1;
  private static final int ACK = 0x1;
  private static final int END_HEADERS = 0x4;
  private static final int PADDED = 0x8;
  private static final int PRIORITY = 0x20;

  private static final int STREAM = 1;
  private static final int FRAME_HEADER = 9;
  private static final int MESSAGE_HEADER = 5;
  private static final int FRAME_SIZE = 16_384;
  private static final int WINDOW = 4 << 20;
  private static final int DEFAULT_WINDOW = 65_535;
  private static final int MAX_MESSAGE = 64 << 20;
  private static final int MAX_HEADER_BLOCK = 64 << 10;

  private final SocketChannel channel;
  private final ByteBuffer in = ByteBuffer.allocate(2 * (FRAME_HEADER + FRAME_SIZE)).flip();
  private final ArrayDeque<byte[]> messages = new ArrayDeque<>();
  private final ByteArrayOutputStream headerBlock = new ByteArrayOutputStream();

  /** The bytes of a message that has not come whole; the first five are its header. */
  private final ByteArrayOutputStream partial = new ByteArrayOutputStream();

  private boolean headersEndStream;
  private boolean ended;
  private int statusCode = -1;
  private String statusMessage = "";
  private long sendWindow = DEFAULT_WINDOW;
  private long connectionWindow = DEFAULT_WINDOW;
  private long initialWindow = DEFAULT_WINDOW;
  private int consumed;

  private Call(SocketChannel channel) {
    this.channel = channel;
  }

  /**
   * Connects and opens the call.
   *
   * @param socket the daemon's unix socket
   * @param method the full name, {@code package.Service/Method}
   * @param deadline how long the daemon may take, sent with the call; zero for no limit
   */
  public static Call open(Path socket, String method, Duration deadline) throws IOException {
    SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
    try {
      channel.connect(UnixDomainSocketAddress.of(socket));
      Call call = new Call(channel);
      call.start(method, deadline);
      return call;
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  private void start(String method, Duration deadline) throws IOException {
    ByteArrayOutputStream headers = new ByteArrayOutputStream();
    Hpack.write(headers, ":method", "POST");
    Hpack.write(headers, ":scheme", "http");
    Hpack.write(headers, ":path", "/" + method);
    Hpack.write(headers, ":authority", "localhost");
    Hpack.write(headers, "te", "trailers");
    Hpack.write(headers, "content-type", "application/grpc");
    Hpack.write(headers, "user-agent", "jrt");
    if (!deadline.isZero()) {
      Hpack.write(headers, "grpc-timeout", deadline.toMillis() + "m");
    }
    ByteBuffer out = ByteBuffer.allocate(PREFACE.length + 128 + headers.size());
    out.put(PREFACE);
    frame(out, 12, SETTINGS, 0, 0);
    out.putShort((short) 1).putInt(0);
    out.putShort((short) 4).putInt(WINDOW);
    frame(out, 4, WINDOW_UPDATE, 0, 0);
    out.putInt(WINDOW - DEFAULT_WINDOW);
    frame(out, headers.size(), HEADERS, END_HEADERS, STREAM);
    out.put(headers.toByteArray());
    write(out.flip());
  }

  /** Sends one request message; waits while the daemon's window is full. */
  public void send(byte[] message) throws IOException {
    ByteBuffer framed = ByteBuffer.allocate(MESSAGE_HEADER + message.length);
    framed.put((byte) 0).putInt(message.length).put(message).flip();
    while (framed.hasRemaining()) {
      while (Math.min(sendWindow, connectionWindow) <= 0 && !ended) {
        readFrame();
      }
      if (ended) {
        return; // the status tells why; next() reports it
      }
      int size =
          (int)
              Math.min(
                  Math.min(framed.remaining(), FRAME_SIZE), Math.min(sendWindow, connectionWindow));
      ByteBuffer out = ByteBuffer.allocate(FRAME_HEADER + size);
      frame(out, size, DATA, 0, STREAM);
      out.put(framed.slice(framed.position(), size));
      framed.position(framed.position() + size);
      sendWindow -= size;
      connectionWindow -= size;
      write(out.flip());
    }
  }

  /** Says that no more requests follow. */
  public void halfClose() throws IOException {
    ByteBuffer out = ByteBuffer.allocate(FRAME_HEADER);
    frame(out, 0, DATA, END_STREAM, STREAM);
    write(out.flip());
  }

  /**
   * The next answer, or empty when the call ended with OK.
   *
   * @throws RpcException if it ended with another status
   */
  public Optional<byte[]> next() throws IOException {
    while (true) {
      byte[] message = messages.poll();
      if (message != null) {
        return Optional.of(message);
      }
      if (ended) {
        if (statusCode == 0) {
          return Optional.empty();
        }
        throw new RpcException(RpcException.Code.of(statusCode), statusMessage);
      }
      readFrame();
    }
  }

  private void readFrame() throws IOException {
    fill(FRAME_HEADER);
    int length = (in.get() & 0xff) << 16 | (in.getShort() & 0xffff);
    int type = in.get() & 0xff;
    int flags = in.get() & 0xff;
    in.getInt(); // one stream a connection
    if (length > FRAME_SIZE) {
      throw new ProtocolException("frame of " + length + " bytes, more than was allowed");
    }
    fill(length);
    ByteBuffer payload = in.slice(in.position(), length);
    in.position(in.position() + length);
    switch (type) {
      case DATA -> data(payload, flags, length);
      case HEADERS -> {
        ByteBuffer block = unpad(payload, flags);
        if ((flags & PRIORITY) != 0) {
          block.position(block.position() + 5);
        }
        headersEndStream = (flags & END_STREAM) != 0;
        headerBlock(block, flags);
      }
      case CONTINUATION -> headerBlock(payload, flags);
      case SETTINGS -> settings(payload, flags);
      case PING -> {
        if ((flags & ACK) == 0) {
          ByteBuffer out = ByteBuffer.allocate(FRAME_HEADER + length);
          frame(out, length, PING, ACK, 0);
          write(out.put(payload).flip());
        }
      }
      case WINDOW_UPDATE -> {
        // Both windows are topped up by the peer for the one stream; which is meant, the id says.
        int increment = payload.getInt() & 0x7fff_ffff;
        if (in.getInt(in.position() - length - 4) == 0) {
          connectionWindow += increment;
        } else {
          sendWindow += increment;
        }
      }
      case RST_STREAM -> end(14, "the daemon reset the call, code " + payload.getInt());
      case GOAWAY -> {
        int last = payload.getInt();
        int code = payload.getInt();
        if (last < STREAM) {
          String detail = StandardCharsets.UTF_8.decode(payload).toString();
          end(14, "the daemon refused the connection, code " + code + " " + detail);
        }
      }
      default -> {
        // RFC 9113 section 4.1: frames of unknown type are ignored
      }
    }
  }

  private void data(ByteBuffer payload, int flags, int length) throws IOException {
    ByteBuffer bytes = unpad(payload, flags);
    partial.write(bytes.array(), bytes.arrayOffset() + bytes.position(), bytes.remaining());
    takeMessages();
    consumed += length;
    if (consumed > WINDOW / 2) {
      ByteBuffer out = ByteBuffer.allocate(2 * (FRAME_HEADER + 4));
      frame(out, 4, WINDOW_UPDATE, 0, 0);
      out.putInt(consumed);
      frame(out, 4, WINDOW_UPDATE, 0, STREAM);
      out.putInt(consumed);
      consumed = 0;
      write(out.flip());
    }
    if ((flags & END_STREAM) != 0) {
      end(statusCode, statusMessage);
    }
  }

  private void takeMessages() throws ProtocolException {
    if (partial.size() < MESSAGE_HEADER) {
      return;
    }
    ByteBuffer bytes = ByteBuffer.wrap(partial.toByteArray());
    boolean taken = false;
    while (bytes.remaining() >= MESSAGE_HEADER) {
      int size = bytes.getInt(bytes.position() + 1);
      if (bytes.get(bytes.position()) != 0) {
        throw new ProtocolException("compressed message, though none was asked for");
      }
      if (size < 0 || size > MAX_MESSAGE) {
        throw new ProtocolException("message of " + size + " bytes, more than 64 MiB");
      }
      if (bytes.remaining() < MESSAGE_HEADER + size) {
        break;
      }
      byte[] message = new byte[size];
      bytes.position(bytes.position() + MESSAGE_HEADER).get(message);
      messages.add(message);
      taken = true;
    }
    if (taken) {
      partial.reset();
      partial.write(bytes.array(), bytes.position(), bytes.remaining());
    }
  }

  private void headerBlock(ByteBuffer block, int flags) throws ProtocolException {
    headerBlock.write(block.array(), block.arrayOffset() + block.position(), block.remaining());
    if (headerBlock.size() > MAX_HEADER_BLOCK) {
      throw new ProtocolException("headers of more than 64 KiB");
    }
    if ((flags & END_HEADERS) == 0) {
      return;
    }
    Map<String, String> headers = Hpack.read(ByteBuffer.wrap(headerBlock.toByteArray()));
    headerBlock.reset();
    String http = headers.getOrDefault(":status", "200");
    String grpc = headers.get("grpc-status");
    if (grpc != null) {
      statusCode = parseStatus(grpc);
      statusMessage = percentDecoded(headers.getOrDefault("grpc-message", ""));
    } else if (!http.equals("200")) {
      end(14, "the socket answers HTTP " + http + ", not gRPC");
    }
    if (headersEndStream) {
      end(statusCode, statusMessage);
    }
  }

  private static int parseStatus(String text) throws ProtocolException {
    try {
      return Integer.parseInt(text);
    } catch (NumberFormatException e) {
      throw new ProtocolException("grpc-status " + text + " is no number");
    }
  }

  private static String percentDecoded(String text) {
    if (text.indexOf('%') < 0) {
      return text;
    }
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '%' && i + 2 < text.length()) {
        int high = Character.digit(text.charAt(i + 1), 16);
        int low = Character.digit(text.charAt(i + 2), 16);
        if (high >= 0 && low >= 0) {
          out.write(high << 4 | low);
          i += 2;
          continue;
        }
      }
      out.writeBytes(String.valueOf(c).getBytes(StandardCharsets.UTF_8));
    }
    return out.toString(StandardCharsets.UTF_8);
  }

  private void settings(ByteBuffer payload, int flags) throws IOException {
    if ((flags & ACK) != 0) {
      return;
    }
    while (payload.remaining() >= 6) {
      int id = payload.getShort() & 0xffff;
      int value = payload.getInt();
      if (id == 4) {
        sendWindow += value - initialWindow;
        initialWindow = value;
      }
    }
    ByteBuffer out = ByteBuffer.allocate(FRAME_HEADER);
    frame(out, 0, SETTINGS, ACK, 0);
    write(out.flip());
  }

  private static ByteBuffer unpad(ByteBuffer payload, int flags) throws ProtocolException {
    if ((flags & PADDED) == 0) {
      return payload;
    }
    int padding = payload.get() & 0xff;
    if (padding > payload.remaining()) {
      throw new ProtocolException("padding larger than its frame");
    }
    return payload.limit(payload.limit() - padding);
  }

  private void end(int code, String message) {
    ended = true;
    statusCode = code;
    statusMessage = message;
  }

  private static void frame(ByteBuffer out, int length, int type, int flags, int stream) {
    out.put((byte) (length >> 16)).putShort((short) length);
    out.put((byte) type).put((byte) flags).putInt(stream);
  }

  private void fill(int bytes) throws IOException {
    if (in.remaining() >= bytes) {
      return;
    }
    // A frame's header stays in front of its payload: the window update looks back at it.
    int keep = Math.min(in.position(), FRAME_HEADER);
    in.position(in.position() - keep).compact();
    while (in.position() < keep + bytes) {
      if (channel.read(in) < 0) {
        throw new ProtocolException("the daemon closed the connection");
      }
    }
    in.flip().position(keep);
  }

  private void write(ByteBuffer out) throws IOException {
    while (out.hasRemaining()) {
      channel.write(out);
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
