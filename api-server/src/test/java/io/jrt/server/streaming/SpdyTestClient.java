package io.jrt.server.streaming;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;

/**
 * A SPDY/3.1 client as Kubernetes' Go library is one, written from the specification and sharing no
 * code with the server: plain socket, own frames, no flow control.
 */
final class SpdyTestClient implements AutoCloseable {
  private static final byte[] DICTIONARY = dictionary();

  private final Socket socket;
  private final DataInputStream in;
  private final DataOutputStream out;
  private final Deflater deflater = new Deflater();
  private final Inflater inflater = new Inflater();
  private final Map<Integer, Stream> streams = new LinkedHashMap<>();
  private final String statusLine;
  private final Map<String, String> headers = new LinkedHashMap<>();
  private int nextId = 1;
  private boolean goneAway;
  private boolean ended;
  private volatile boolean paused;

  /** What came on one stream. */
  static final class Stream {
    private final int id;
    private final ByteArrayOutputStream received = new ByteArrayOutputStream();
    private long count;
    private boolean replied;
    private boolean ended;
    private boolean reset;

    Stream(int id) {
      this.id = id;
    }
  }

  SpdyTestClient(URI url, String... protocols) throws IOException {
    this(url, false, protocols);
  }

  /** SPDY inside the binary messages of a WebSocket. */
  static SpdyTestClient tunnelled(URI url, String protocol) throws IOException {
    return new SpdyTestClient(url, true, protocol);
  }

  private SpdyTestClient(URI url, boolean tunnel, String... protocols) throws IOException {
    socket = new Socket(url.getHost(), url.getPort());
    socket.setTcpNoDelay(true);
    InputStream input = new BufferedInputStream(socket.getInputStream(), 1 << 16);
    OutputStream output = socket.getOutputStream();
    StringBuilder request = new StringBuilder();
    request.append(tunnel ? "GET " : "POST ").append(url.getRawPath());
    request.append(" HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n");
    if (tunnel) {
      request.append("Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n");
      request.append("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");
      request.append("Sec-WebSocket-Protocol: SPDY/3.1+").append(protocols[0]).append("\r\n");
    } else {
      request.append("Upgrade: SPDY/3.1\r\nContent-Length: 0\r\n");
      for (String protocol : protocols) {
        request.append("X-Stream-Protocol-Version: ").append(protocol).append("\r\n");
      }
    }
    output.write(request.append("\r\n").toString().getBytes(StandardCharsets.US_ASCII));
    in = new DataInputStream(tunnel ? new TunnelInput(input) : input);
    out =
        new DataOutputStream(
            new BufferedOutputStream(tunnel ? new TunnelOutput(output) : output, 1 << 16));
    statusLine = readLine(input);
    for (String line = readLine(input); !line.isEmpty(); line = readLine(input)) {
      String[] parts = line.split(": ", 2);
      headers.merge(parts[0].toLowerCase(Locale.ROOT), parts[1], (a, b) -> a + "," + b);
    }
    deflater.setDictionary(DICTIONARY);
    if (isUpgraded()) {
      Thread.ofVirtual().start(this::read);
    }
  }

  boolean isUpgraded() {
    return statusLine.contains(" 101 ");
  }

  String statusLine() {
    return statusLine;
  }

  String header(String name) {
    return headers.getOrDefault(name, "");
  }

  /** Opens a stream with headers given as name, value, name, value. */
  Stream open(String... pairs) throws IOException {
    ByteArrayOutputStream plain = new ByteArrayOutputStream();
    DataOutputStream block = new DataOutputStream(plain);
    block.writeInt(pairs.length / 2);
    for (String text : pairs) {
      byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
      block.writeInt(bytes.length);
      block.write(bytes);
    }
    Stream stream;
    synchronized (this) {
      stream = new Stream(nextId);
      streams.put(nextId, stream);
      nextId += 2;
      byte[] compressed = new byte[plain.size() * 2 + 200];
      deflater.setInput(plain.toByteArray());
      int length = deflater.deflate(compressed, 0, compressed.length, Deflater.SYNC_FLUSH);
      out.writeShort(0x8003);
      out.writeShort(1);
      out.writeInt(10 + length);
      out.writeInt(stream.id);
      out.writeInt(0);
      out.writeShort(0);
      out.write(compressed, 0, length);
      out.flush();
    }
    return stream;
  }

  /** Opens a stream and waits for the server's reply. */
  Stream openAndWait(String... pairs) throws IOException, InterruptedException {
    Stream stream = open(pairs);
    synchronized (this) {
      while (!stream.replied && !stream.reset && !ended) {
        wait();
      }
    }
    return stream;
  }

  synchronized void send(Stream stream, byte[] data, boolean last) throws IOException {
    out.writeInt(stream.id);
    out.writeInt((last ? 1 << 24 : 0) | data.length);
    out.write(data);
    out.flush();
  }

  void send(Stream stream, String text) throws IOException {
    send(stream, text.getBytes(StandardCharsets.UTF_8), false);
  }

  void end(Stream stream) throws IOException {
    send(stream, new byte[0], true);
  }

  synchronized void ping(int id) throws IOException {
    out.writeInt(0x80030006);
    out.writeInt(4);
    out.writeInt(id);
    out.flush();
  }

  /** Stops or goes on reading from the socket. */
  synchronized void pause(boolean pause) {
    paused = pause;
    notifyAll();
  }

  /** A stream by its number on the wire: 1 for the first, 3 for the second. */
  synchronized Stream stream(int id) {
    return Objects.requireNonNull(streams.get(id));
  }

  synchronized String text(Stream stream) {
    return stream.received.toString(StandardCharsets.UTF_8);
  }

  synchronized byte[] bytes(Stream stream) {
    return stream.received.toByteArray();
  }

  synchronized long count(Stream stream) {
    return stream.count;
  }

  synchronized boolean wasReset(Stream stream) {
    return stream.reset;
  }

  synchronized boolean sawGoAway() {
    return goneAway;
  }

  synchronized void awaitText(Stream stream, String part) throws InterruptedException {
    while (!text(stream).contains(part) && !ended) {
      wait();
    }
  }

  synchronized void awaitEnd(Stream stream) throws InterruptedException {
    while (!stream.ended && !stream.reset && !ended) {
      wait();
    }
  }

  /** Waits until the server has closed the connection. */
  synchronized void awaitClose() throws InterruptedException {
    while (!ended) {
      wait();
    }
  }

  private void read() {
    try {
      byte[] buffer = new byte[1 << 16];
      while (true) {
        synchronized (this) {
          while (paused) {
            wait();
          }
        }
        int first = in.readInt();
        int second = in.readInt();
        int length = second & 0xffffff;
        if (first >= 0) {
          data(first, second >>> 24, length, buffer);
        } else {
          byte[] body = in.readNBytes(length);
          control(first & 0xffff, body);
        }
      }
    } catch (EOFException | SocketException e) {
      // The server closed the connection, or this side did.
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(e);
    } finally {
      synchronized (this) {
        ended = true;
        notifyAll();
      }
    }
  }

  private void data(int id, int flags, int length, byte[] buffer) throws IOException {
    int left = length;
    while (left > 0) {
      int n = in.read(buffer, 0, Math.min(left, buffer.length));
      if (n < 0) {
        throw new EOFException();
      }
      left -= n;
      synchronized (this) {
        Stream stream = stream(id);
        stream.count += n;
        if (stream.count <= 1 << 20) {
          stream.received.write(buffer, 0, n);
        }
        notifyAll();
      }
    }
    if ((flags & 1) != 0) {
      synchronized (this) {
        stream(id).ended = true;
        notifyAll();
      }
    }
  }

  private synchronized void control(int type, byte[] body) {
    int value = ByteBuffer.wrap(body).getInt();
    switch (type) {
      case 2 -> {
        inflateHeaders(body);
        stream(value).replied = true;
      }
      case 3 -> stream(value).reset = true;
      case 6 -> headers.put("ping", Integer.toString(value));
      case 7 -> goneAway = true;
      default -> throw new IllegalStateException("unexpected frame type " + type);
    }
    notifyAll();
  }

  /** A reply has a block of headers, compressed as one stream with those before, if only "none". */
  private void inflateHeaders(byte[] reply) {
    byte[] plain = new byte[4096];
    try {
      inflater.setInput(reply, 4, reply.length - 4);
      int length = inflater.inflate(plain);
      if (length == 0 && inflater.needsDictionary()) {
        inflater.setDictionary(DICTIONARY);
        length = inflater.inflate(plain);
      }
      if (length < 4) {
        throw new IllegalStateException("a reply without a block of headers");
      }
    } catch (DataFormatException e) {
      throw new IllegalStateException("a reply with a broken block of headers", e);
    }
  }

  synchronized void awaitPing(int id) throws InterruptedException {
    while (!header("ping").equals(Integer.toString(id))) {
      wait();
    }
  }

  private static String readLine(InputStream in) throws IOException {
    StringBuilder line = new StringBuilder();
    for (int c = in.read(); c >= 0 && c != '\n'; c = in.read()) {
      if (c != '\r') {
        line.append((char) c);
      }
    }
    return line.toString();
  }

  /** The content of binary messages, as one stream. */
  private static final class TunnelInput extends InputStream {
    private final DataInputStream in;
    private long left;

    TunnelInput(InputStream in) {
      this.in = new DataInputStream(in);
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
      if (length == 0) {
        return 0; // and does not wait for the next message
      }
      while (left == 0) {
        int first = in.readUnsignedByte();
        int second = in.readUnsignedByte();
        left = second == 126 ? in.readUnsignedShort() : second == 127 ? in.readLong() : second;
        if ((first & 0xf) == 8) {
          return -1;
        }
      }
      int n = in.read(into, offset, (int) Math.min(length, left));
      left -= Math.max(0, n);
      return n;
    }
  }

  /** Each write as one masked binary message. */
  private static final class TunnelOutput extends OutputStream {
    private final DataOutputStream out;

    TunnelOutput(OutputStream out) {
      this.out = new DataOutputStream(new BufferedOutputStream(out));
    }

    @Override
    public void write(int b) throws IOException {
      write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] from, int offset, int length) throws IOException {
      out.writeByte(0x82);
      if (length < 126) {
        out.writeByte(0x80 | length);
      } else if (length <= 0xffff) {
        out.writeByte(0x80 | 126);
        out.writeShort(length);
      } else {
        out.writeByte(0x80 | 127);
        out.writeLong(length);
      }
      out.writeInt(0); // a mask of zeros changes nothing
      out.write(from, offset, length);
    }

    @Override
    public void flush() throws IOException {
      out.flush();
    }
  }

  @Override
  public void close() throws IOException {
    socket.close();
    deflater.end();
  }

  /** The words of the specification, each with its length, then text without lengths. */
  private static byte[] dictionary() {
    String words =
        """
        options|head|post|put|delete|trace|accept|accept-charset|accept-encoding|accept-language|\
        accept-ranges|age|allow|authorization|cache-control|connection|content-base|\
        content-encoding|content-language|content-length|content-location|content-md5|\
        content-range|content-type|date|etag|expect|expires|from|host|if-match|\
        if-modified-since|if-none-match|if-range|if-unmodified-since|last-modified|location|\
        max-forwards|pragma|proxy-authenticate|proxy-authorization|range|referer|retry-after|\
        server|te|trailer|transfer-encoding|upgrade|user-agent|vary|via|warning|\
        www-authenticate|method|get|status|200 OK|version|HTTP/1.1|url|public|set-cookie|\
        keep-alive|origin\
        """;
    String rest =
        """
        100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505\
        203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request\
        401 Unauthorized403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented\
        503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 \
        Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,\
        application/xml,application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=\
        gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.\
        """;
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (String word : words.split("\\|", -1)) {
      bytes.writeBytes(ByteBuffer.allocate(4).putInt(word.length()).array());
      bytes.writeBytes(word.getBytes(StandardCharsets.US_ASCII));
    }
    bytes.writeBytes(rest.getBytes(StandardCharsets.US_ASCII));
    return bytes.toByteArray();
  }
}
