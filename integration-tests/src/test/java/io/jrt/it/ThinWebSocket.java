package io.jrt.it;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;

/**
 * An exec over WebSocket whose client costs next to nothing, so that the server is what is timed.
 */
final class ThinWebSocket {
  private static final int CLOSE = 8;
  private static final int ERROR_CHANNEL = 3;

  private ThinWebSocket() {}

  /**
   * Connects, and reads until the server has said how the command ended and closes.
   *
   * @throws IOException when it did not succeed
   */
  static void execToItsEnd(URI url) throws IOException {
    try (Socket socket = new Socket(url.getHost(), url.getPort())) {
      socket.setTcpNoDelay(true);
      OutputStream out = socket.getOutputStream();
      String path = url.getRawQuery() == null ? "" : "?" + url.getRawQuery();
      String request =
          """
          GET %s HTTP/1.1\r
          Host: %s\r
          Connection: Upgrade\r
          Upgrade: websocket\r
          Sec-WebSocket-Version: 13\r
          Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r
          Sec-WebSocket-Protocol: v4.channel.k8s.io\r
          \r
          """
              .formatted(url.getRawPath() + path, url.getAuthority());
      out.write(request.getBytes(StandardCharsets.US_ASCII));
      DataInputStream in = new DataInputStream(new BufferedInputStream(socket.getInputStream()));
      StringBuilder head = new StringBuilder();
      while (head.indexOf("\r\n\r\n") < 0) {
        head.append((char) in.readUnsignedByte());
      }
      if (!head.toString().startsWith("HTTP/1.1 101 ")) {
        throw new IOException("no upgrade: " + head);
      }
      String status = "";
      while (true) {
        int opcode = in.readUnsignedByte() & 0xf;
        int length = in.readUnsignedByte();
        byte[] data = new byte[length == 126 ? in.readUnsignedShort() : length];
        in.readFully(data);
        if (opcode == CLOSE) {
          break;
        }
        if (data.length > 1 && data[0] == ERROR_CHANNEL) {
          status += new String(data, 1, data.length - 1, StandardCharsets.UTF_8);
        }
      }
      if (!status.contains("\"Success\"")) {
        throw new IOException("the command did not succeed: " + status);
      }
    }
  }
}
