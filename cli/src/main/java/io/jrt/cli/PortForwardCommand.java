package io.jrt.cli;

import io.jrt.cli.rpc.WebSocket;
import io.jrt.cri.v1.Container;
import io.jrt.cri.v1.PortForwardRequest;
import io.jrt.cri.v1.PortForwardResponse;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * {@code jrt port-forward}: connections to a port here go on to a port on a pod's localhost, until
 * ctrl-c. Each connection has a stream of its own.
 */
final class PortForwardCommand implements Command {
  private static final int DATA = 0;
  private static final int ERROR = 1;

  /** How long after the end of a client's data the pod may be silent before it is given up. */
  private static final Duration LAST_WORDS = Duration.ofSeconds(10);

  @Override
  public Spec spec() {
    return Spec.of(
        "port-forward",
        "POD|CONTAINER [LOCAL:]REMOTE…",
        "bring ports of a pod's localhost to this machine's",
        List.of(Flag.option("address", "ADDRESS", "where to listen; 127.0.0.1 if not given")),
        "port-forward web 8080:80");
  }

  /** A port here, 0 for any, and one there. */
  record Ports(int local, int remote) {
    static Ports parse(String text) {
      int colon = text.indexOf(':');
      int remote = port(text, text.substring(colon + 1), 1);
      int local = colon < 0 ? remote : colon == 0 ? 0 : port(text, text.substring(0, colon), 0);
      return new Ports(local, remote);
    }

    private static int port(String whole, String text, int least) {
      if (!text.matches("\\d{1,5}")
          || Integer.parseInt(text) < least
          || Integer.parseInt(text) > 65_535) {
        throw new UsageException("ports " + whole + " are not [LOCAL:]REMOTE, 1 to 65535 each");
      }
      return Integer.parseInt(text);
    }
  }

  @Override
  public int run(Arguments arguments, Session session) throws IOException {
    List<String> words = arguments.rest();
    if (words.size() < 2) {
      throw new UsageException(words.isEmpty() ? "which pod?" : "which port?");
    }
    List<Ports> wanted = words.subList(1, words.size()).stream().map(Ports::parse).toList();
    Objects objects = Objects.of(session.daemon());
    Optional<Container> container = objects.findContainer(words.getFirst());
    String pod =
        container.isPresent()
            ? container.get().getPodSandboxId()
            : objects.pod(words.getFirst()).getId();
    InetAddress address = InetAddress.getByName(arguments.value("address").orElse("127.0.0.1"));
    List<Thread> listeners = new ArrayList<>();
    for (Ports ports : wanted) {
      ServerSocket server = new ServerSocket();
      server.bind(new InetSocketAddress(address, ports.local()));
      session
          .out()
          .println(
              "forwarding %s:%d to %d"
                  .formatted(address.getHostAddress(), server.getLocalPort(), ports.remote()));
      listeners.add(
          Thread.ofVirtual().unstarted(() -> accept(session, server, pod, ports.remote())));
    }
    session.out().flush();
    listeners.forEach(Thread::start);
    try {
      for (Thread listener : listeners) {
        listener.join();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return 1;
  }

  private static void accept(Session session, ServerSocket server, String pod, int port) {
    try (server) {
      while (true) {
        Socket client = server.accept();
        Thread.ofVirtual().start(() -> serve(session, client, pod, port));
      }
    } catch (IOException e) {
      tell(session, "no more connections to port " + port + ": " + e.getMessage());
    }
  }

  private static void serve(Session session, Socket client, String pod, int port) {
    PortForwardRequest request =
        PortForwardRequest.newBuilder().setPodSandboxId(pod).addPort(port).build();
    try (client) {
      String url =
          session.daemon().runtime("PortForward", request, PortForwardResponse.parser()).getUrl();
      try (WebSocket remote = session.daemon().stream(url, List.of("v4.channel.k8s.io"))) {
        Connection connection = new Connection(client, remote);
        Thread.ofVirtual().start(connection::up);
        try {
          connection.down().ifPresent(error -> tell(session, "port " + port + ": " + error));
        } finally {
          connection.over.countDown();
        }
      }
    } catch (IOException e) {
      tell(session, "port " + port + ": " + e.getMessage());
    }
  }

  private static void tell(Session session, String sentence) {
    synchronized (session.err()) {
      session.err().println("jrt: " + sentence);
      session.err().flush();
    }
  }

  /** One client and its stream. */
  private static final class Connection {
    private final Socket client;
    private final WebSocket remote;
    private final CountDownLatch over = new CountDownLatch(1);
    private volatile long heard = System.nanoTime();

    Connection(Socket client, WebSocket remote) {
      this.client = client;
      this.remote = remote;
    }

    /** From the client to the pod. The protocol has no half close: the pod may still answer. */
    void up() {
      byte[] buffer = new byte[32 << 10];
      try {
        for (int n = read(buffer); n >= 0; n = read(buffer)) {
          remote.send(DATA, buffer, 0, n);
        }
        heard = System.nanoTime();
        long left = LAST_WORDS.toNanos();
        while (left > 0 && !over.await(left, TimeUnit.NANOSECONDS)) {
          left = LAST_WORDS.toNanos() - (System.nanoTime() - heard);
        }
        remote.close();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      } catch (IOException gone) {
        // The pod takes no more; what it has said is still read, and ends the other way.
      }
    }

    /** A client that breaks off has ended as one that says so. */
    private int read(byte[] buffer) {
      try {
        return client.getInputStream().read(buffer);
      } catch (IOException gone) {
        return -1;
      }
    }

    /** From the pod to the client; what went wrong there, if anything did. */
    Optional<String> down() throws IOException {
      // Each channel begins with its port.
      boolean[] begun = new boolean[2];
      for (Optional<ByteBuffer> next = remote.receive();
          next.isPresent();
          next = remote.receive()) {
        ByteBuffer message = next.get();
        int channel = message.hasRemaining() ? message.get() & 0xff : -1;
        if (channel != DATA && channel != ERROR) {
          continue;
        }
        if (!begun[channel]) {
          begun[channel] = true;
          message.position(Math.min(message.limit(), message.position() + 2));
        }
        if (channel == ERROR && message.hasRemaining()) {
          return Optional.of(StandardCharsets.UTF_8.decode(message).toString());
        }
        if (message.hasRemaining()) {
          heard = System.nanoTime();
          client
              .getOutputStream()
              .write(
                  message.array(), message.arrayOffset() + message.position(), message.remaining());
        }
      }
      return Optional.empty();
    }
  }
}
