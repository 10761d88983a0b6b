package io.jrt.server.metrics;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.server.rpc.SocketFile;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves {@code GET /metrics} over HTTP/1.1, one request a connection, on a loopback port or a unix
 * socket. It knows no more of HTTP than that takes, and gives no client more than ten seconds.
 */
public final class MetricsServer implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(MetricsServer.class);
  private static final String STEP = "serve metrics";
  private static final int LONGEST_HEAD = 8192;
  private static final int CLIENTS = 8;
  private static final Duration PATIENCE = Duration.ofSeconds(10);
  private static final String UNIX = "unix:";

  private final Metrics metrics;
  private final ServerSocketChannel server;
  private final Optional<SocketFile> socket;
  private final Semaphore clients = new Semaphore(CLIENTS);

  private MetricsServer(Metrics metrics, ServerSocketChannel server, Optional<SocketFile> socket) {
    this.metrics = metrics;
    this.server = server;
    this.socket = socket;
  }

  /**
   * @param address {@code HOST:PORT} of loopback, or {@code unix:PATH}
   */
  public static MetricsServer start(String address, Metrics metrics) {
    MetricsServer started;
    if (address.startsWith(UNIX)) {
      Path path = Path.of(address.substring(UNIX.length()));
      SocketFile.Listening socket = SocketFile.listen(path, "rw-rw----", STEP);
      started = new MetricsServer(metrics, socket.server(), Optional.of(socket.file()));
    } else {
      try {
        started = new MetricsServer(metrics, bound(loopback(address)), Optional.empty());
      } catch (IOException e) {
        throw new JrtException(
            ErrorKind.UNAVAILABLE, STEP, "cannot listen on " + address + ": " + e.getMessage(), e);
      }
    }
    Thread.ofVirtual().name("metrics-server").start(started::accept);
    return started;
  }

  private static ServerSocketChannel bound(SocketAddress address) throws IOException {
    ServerSocketChannel server = ServerSocketChannel.open();
    try {
      return server.bind(address);
    } catch (IOException e) {
      server.close();
      throw e;
    }
  }

  /** A port of loopback, from its words. */
  static InetSocketAddress loopback(String address) {
    int colon = address.lastIndexOf(':');
    InetAddress host;
    int port;
    try {
      port = Integer.parseInt(address, colon + 1, address.length(), 10);
      host = InetAddress.getByName(address.substring(0, Math.max(0, colon)));
    } catch (IllegalArgumentException | UnknownHostException e) {
      throw new JrtException(
          ErrorKind.INVALID, STEP, "metrics.address " + address + " has no port or no host", e);
    }
    if (colon <= 0 || port < 0 || port > 65535 || !host.isLoopbackAddress()) {
      throw new JrtException(
          ErrorKind.INVALID, STEP, "metrics.address " + address + " is not on loopback");
    }
    return new InetSocketAddress(host, port);
  }

  /** Where it listens. */
  public SocketAddress address() {
    try {
      return server.getLocalAddress();
    } catch (IOException e) {
      throw new JrtException(ErrorKind.UNAVAILABLE, STEP, "the server was closed", e);
    }
  }

  private void accept() {
    while (server.isOpen()) {
      try {
        clients.acquire();
        SocketChannel client = server.accept();
        Thread.ofVirtual().name("metrics-client").start(() -> serve(client));
      } catch (ClosedChannelException e) {
        return;
      } catch (IOException e) {
        clients.release();
        log.warn("a reader of metrics could not be accepted: {}", e.getMessage());
        pause();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }

  /** Out of descriptors, say: not to be tried again at once. */
  private static void pause() {
    try {
      Thread.sleep(Duration.ofSeconds(1));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void serve(SocketChannel client) {
    Thread limit = Thread.ofVirtual().start(() -> closeLater(client));
    try (client) {
      String line = requestLine(client);
      ByteBuffer answer =
          ByteBuffer.wrap(
              line.startsWith("GET /metrics ") || line.startsWith("GET /metrics?")
                  ? page()
                  : head("404 Not Found", "text/plain", 0).getBytes(US_ASCII));
      while (answer.hasRemaining()) {
        client.write(answer);
      }
    } catch (IOException e) {
      log.debug("a reader of metrics left: {}", e.getMessage());
    } catch (RuntimeException e) {
      log.warn("metrics could not be read: {}", e.getMessage(), e);
    } finally {
      limit.interrupt();
      clients.release();
    }
  }

  private static void closeLater(SocketChannel client) {
    try {
      Thread.sleep(PATIENCE);
      client.close();
    } catch (InterruptedException served) {
      Thread.currentThread().interrupt();
    } catch (IOException e) {
      log.debug("a slow reader of metrics could not be closed: {}", e.getMessage());
    }
  }

  /** The first line of a whole head; empty when the client sends something else. */
  private static String requestLine(SocketChannel client) throws IOException {
    ByteBuffer head = ByteBuffer.allocate(LONGEST_HEAD);
    while (head.hasRemaining() && client.read(head) >= 0) {
      String text = new String(head.array(), 0, head.position(), US_ASCII);
      if (text.contains("\r\n\r\n")) {
        return text.substring(0, text.indexOf('\r'));
      }
    }
    return "";
  }

  private byte[] page() throws IOException {
    var body = new ByteArrayOutputStream();
    var writer = PrometheusTextFormatWriter.create();
    writer.write(body, metrics.scrape());
    var page = new ByteArrayOutputStream();
    page.writeBytes(head("200 OK", writer.getContentType(), body.size()).getBytes(US_ASCII));
    page.writeBytes(body.toByteArray());
    return page.toByteArray();
  }

  private static String head(String status, String type, int length) {
    return "HTTP/1.1 "
        + status
        + "\r\nContent-Type: "
        + type
        + "\r\nContent-Length: "
        + length
        + "\r\nConnection: close\r\n\r\n";
  }

  @Override
  public void close() {
    try {
      socket.ifPresent(SocketFile::remove);
      server.close();
    } catch (IOException e) {
      log.warn("the metrics' socket could not be closed: {}", e.getMessage());
    }
  }
}
