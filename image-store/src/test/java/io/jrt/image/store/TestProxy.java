package io.jrt.image.store;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * An HTTP proxy that wants a password and takes everybody to one port of loopback, whatever host
 * they ask for: absolute addresses for http, CONNECT for https.
 */
public final class TestProxy implements AutoCloseable {
  private final ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
  private final int target;
  private final String wanted;
  private final List<String> seen = new CopyOnWriteArrayList<>();
  private final List<Socket> open = new CopyOnWriteArrayList<>();

  public TestProxy(int target, String userAndPassword) throws IOException {
    this.target = target;
    this.wanted =
        "proxy-authorization: basic "
            + Base64.getEncoder().encodeToString(userAndPassword.getBytes(StandardCharsets.UTF_8));
    Thread.startVirtualThread(this::accept);
  }

  public int port() {
    return server.getLocalPort();
  }

  /** The request lines that it served, and those it refused, marked so. */
  public List<String> seen() {
    return seen;
  }

  private void accept() {
    try {
      while (true) {
        Socket client = server.accept();
        open.add(client);
        Thread.startVirtualThread(() -> serve(client));
      }
    } catch (IOException e) {
      seen.add("closed");
    }
  }

  private void serve(Socket client) {
    try (client;
        Socket upstream = new Socket(InetAddress.getLoopbackAddress(), target)) {
      open.add(upstream);
      List<String> head = head(client.getInputStream());
      if (head.isEmpty()) {
        return;
      }
      String line = head.getFirst();
      boolean known =
          head.stream()
              .anyMatch(h -> h.regionMatches(true, 0, wanted, 0, 27) && h.endsWith(secret()));
      OutputStream answer = client.getOutputStream();
      if (!known) {
        seen.add("refused " + line);
        answer.write(
            "HTTP/1.1 407 Who are you\r\nProxy-Authenticate: Basic realm=\"p\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                .getBytes(StandardCharsets.US_ASCII));
        return;
      }
      seen.add(line);
      if (line.startsWith("CONNECT ")) {
        answer.write("HTTP/1.1 200 Connected\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        Thread.startVirtualThread(() -> pump(client, upstream));
        pump(upstream, client);
        return;
      }
      String[] words = line.split(" ");
      URI uri = URI.create(words[1]);
      var request = new StringBuilder(words[0] + " " + uri.getRawPath());
      request.append(uri.getRawQuery() == null ? "" : "?" + uri.getRawQuery());
      request.append(" HTTP/1.1\r\n");
      for (String header : head.subList(1, head.size())) {
        String name = header.toLowerCase(Locale.ROOT);
        if (!name.startsWith("proxy-") && !name.startsWith("connection:")) {
          request.append(header).append("\r\n");
        }
      }
      request.append("Connection: close\r\n\r\n");
      upstream.getOutputStream().write(request.toString().getBytes(StandardCharsets.ISO_8859_1));
      pump(upstream, client);
    } catch (IOException e) {
      seen.add("broken: " + e.getMessage());
    }
  }

  private String secret() {
    return wanted.substring("proxy-authorization: basic ".length());
  }

  private static List<String> head(InputStream in) throws IOException {
    var lines = new ArrayList<String>();
    var line = new ByteArrayOutputStream();
    int c;
    while ((c = in.read()) >= 0) {
      if (c != '\n') {
        line.write(c);
        continue;
      }
      String text = line.toString(StandardCharsets.ISO_8859_1).strip();
      line.reset();
      if (text.isEmpty()) {
        return lines;
      }
      lines.add(text);
    }
    return List.of();
  }

  private void pump(Socket from, Socket to) {
    try {
      from.getInputStream().transferTo(to.getOutputStream());
      to.shutdownOutput();
    } catch (IOException e) {
      open.remove(from);
    }
  }

  @Override
  public void close() throws IOException {
    server.close();
    for (Socket socket : open) {
      socket.close();
    }
  }
}
