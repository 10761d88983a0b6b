package io.jrt.it;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;

/** Stands before a server on loopback and lets so many bytes a second through to each client. */
final class NarrowLines implements AutoCloseable {
  private static final int PIECE = 64 << 10;

  private final ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
  private final List<Socket> open = new CopyOnWriteArrayList<>();
  private final String target;
  private final long bytesPerSecond;

  /**
   * @param target {@code host:port}
   * @param bytesPerSecond of one connection
   */
  NarrowLines(String target, long bytesPerSecond) throws IOException {
    this.target = target;
    this.bytesPerSecond = bytesPerSecond;
    Thread.ofVirtual().start(this::accept);
  }

  /** Host and port as they stand in an image's name. */
  String address() {
    return "127.0.0.1:" + server.getLocalPort();
  }

  private void accept() {
    while (!server.isClosed()) {
      try {
        Socket client = server.accept();
        int colon = target.lastIndexOf(':');
        Socket upstream =
            new Socket(target.substring(0, colon), Integer.parseInt(target.substring(colon + 1)));
        open.add(client);
        open.add(upstream);
        Thread.ofVirtual().start(() -> pump(client, upstream, Long.MAX_VALUE / PIECE));
        Thread.ofVirtual().start(() -> pump(upstream, client, bytesPerSecond));
      } catch (IOException e) {
        return; // closed
      }
    }
  }

  private static void pump(Socket from, Socket to, long bytesPerSecond) {
    byte[] piece = new byte[PIECE];
    try (from;
        to) {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      long due = System.nanoTime();
      for (int count; (count = in.read(piece)) > 0; ) {
        out.write(piece, 0, count);
        // A line that was idle has nothing saved up but a moment.
        due = Math.max(due, System.nanoTime() - 20_000_000);
        due += count * 1_000_000_000L / bytesPerSecond;
        TimeUnit.NANOSECONDS.sleep(due - System.nanoTime());
      }
    } catch (IOException e) {
      return; // one side has ended, so does the other
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
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
