package io.jrt.cli.rpc;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A WebSocket client (RFC 6455) to the daemon's streaming server, which listens on loopback and is
 * reached by a URL that serves once. One thread reads; any may write.
 */
public final class WebSocket implements AutoCloseable {
  private static final int BINARY = 2;
  private static final int CLOSE = 8;
  private static final int PING = 9;
  private static final int PONG = 10;
  private static final int FIN = 0x80;
  private static final int MASK = 0x80;
  private static final int MAX_MESSAGE = 16 << 20;
  private static final int MAX_HEAD = 16 << 10;

  private final Socket socket;
  private final DataInputStream in;
  private final OutputStream out;
  private final String protocol;
  private final ReentrantLock writing = new ReentrantLock();

  private WebSocket(Socket socket, DataInputStream in, String protocol) throws IOException {
    this.socket = socket;
    this.in = in;
    this.out = socket.getOutputStream();
    this.protocol = protocol;
  }

  /**
   * Connects to an {@code http} or {@code https} URL and upgrades.
   *
   * @param protocols the subprotocols to offer, the preferred one first
   * @param certificates PEM text of the chain that an {@code https} server must show
   */
  public static WebSocket connect(URI url, List<String> protocols, String certificates)
      throws IOException {
    Socket socket =
        switch (String.valueOf(url.getScheme())) {
          case "http" -> new Socket(InetAddress.getByName(url.getHost()), url.getPort());
          case "https" -> PinnedTls.connect(url, certificates);
          default -> throw new ProtocolException("streaming URL " + url + " is not http");
        };
    try {
      socket.setTcpNoDelay(true);
      byte[] nonce = new byte[16];
      ThreadLocalRandom.current().nextBytes(nonce);
      String head =
          """
          GET %s HTTP/1.1\r
          Host: %s:%d\r
          Connection: Upgrade\r
          Upgrade: websocket\r
          Sec-WebSocket-Version: 13\r
          Sec-WebSocket-Key: %s\r
          Sec-WebSocket-Protocol: %s\r
          \r
          """
              .formatted(
                  url.getRawPath(),
                  url.getHost(),
                  url.getPort(),
                  Base64.getEncoder().encodeToString(nonce),
                  String.join(", ", protocols));
      socket.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
      DataInputStream in =
          new DataInputStream(new BufferedInputStream(socket.getInputStream(), 64 << 10));
      List<String> answer = head(in);
      if (!answer.getFirst().contains(" 101 ")) {
        throw new ProtocolException("streaming server answered " + answer.getFirst());
      }
      String prefix = "sec-websocket-protocol:";
      String protocol =
          answer.stream()
              .filter(line -> line.toLowerCase(Locale.ROOT).startsWith(prefix))
              .map(line -> line.substring(prefix.length()).strip())
              .findFirst()
              .orElse("");
      return new WebSocket(socket, in, protocol);
    } catch (IOException | RuntimeException e) {
      socket.close();
      throw e;
    }
  }

  private static List<String> head(DataInputStream in) throws IOException {
    ByteArrayOutputStream head = new ByteArrayOutputStream();
    int matched = 0;
    while (matched < 4) {
      int b = in.read();
      if (b < 0 || head.size() > MAX_HEAD) {
        throw new ProtocolException("streaming server answered no HTTP head");
      }
      head.write(b);
      boolean wanted = b == (matched % 2 == 0 ? '\r' : '\n');
      matched = wanted ? matched + 1 : b == '\r' ? 1 : 0;
    }
    return head.toString(StandardCharsets.ISO_8859_1).lines().toList();
  }

  /** The subprotocol the server chose. */
  public String protocol() {
    return protocol;
  }

  /** The next whole message, or empty when the server closed. */
  public Optional<ByteBuffer> receive() throws IOException {
    ByteArrayOutputStream message = new ByteArrayOutputStream();
    while (true) {
      int first = in.read();
      if (first < 0) {
        return Optional.empty();
      }
      int second = in.readUnsignedByte();
      long length = second & 0x7f;
      if (length == 126) {
        length = in.readUnsignedShort();
      } else if (length == 127) {
        length = in.readLong();
      }
      if ((second & MASK) != 0 || length < 0 || message.size() + length > MAX_MESSAGE) {
        throw new ProtocolException("bad WebSocket frame of " + length + " bytes");
      }
      byte[] payload = in.readNBytes((int) length);
      if (payload.length < length) {
        throw new ProtocolException("WebSocket frame cut short");
      }
      switch (first & 0x0f) {
        case CLOSE -> {
          return Optional.empty();
        }
        case PING -> write(PONG, ByteBuffer.wrap(payload));
        case PONG -> {
          // unasked for, allowed, without meaning
        }
        default -> {
          message.writeBytes(payload);
          if ((first & FIN) != 0) {
            return Optional.of(ByteBuffer.wrap(message.toByteArray()));
          }
        }
      }
    }
  }

  /** Sends one binary message: a channel's number, then bytes. */
  public void send(int channel, byte[] bytes, int offset, int length) throws IOException {
    ByteBuffer payload = ByteBuffer.allocate(1 + length);
    payload.put((byte) channel).put(bytes, offset, length).flip();
    write(BINARY, payload);
  }

  private void write(int opcode, ByteBuffer payload) throws IOException {
    int length = payload.remaining();
    ByteBuffer frame = ByteBuffer.allocate(14 + length);
    frame.put((byte) (FIN | opcode));
    if (length < 126) {
      frame.put((byte) (MASK | length));
    } else if (length <= 0xffff) {
      frame.put((byte) (MASK | 126)).putShort((short) length);
    } else {
      frame.put((byte) (MASK | 127)).putLong(length);
    }
    byte[] mask = new byte[4];
    ThreadLocalRandom.current().nextBytes(mask);
    frame.put(mask);
    for (int i = 0; i < length; i++) {
      frame.put((byte) (payload.get(payload.position() + i) ^ mask[i & 3]));
    }
    writing.lock();
    try {
      out.write(frame.array(), 0, frame.position());
    } finally {
      writing.unlock();
    }
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
