package io.jrt.cli;

import io.jrt.cli.rpc.ProtocolException;
import io.jrt.cli.rpc.WebSocket;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * A process in a container, seen through Kubernetes' channel protocol (v5, v4) on a WebSocket:
 * standard streams, terminal size and the end.
 */
final class RemoteProcess implements AutoCloseable {
  private static final int STDIN = 0;
  private static final int STDOUT = 1;
  private static final int STDERR = 2;
  private static final int ERROR = 3;
  private static final int RESIZE = 4;
  private static final int CLOSE = 255;

  private final WebSocket socket;
  private volatile boolean detached;
  private @Nullable ByteBuffer early;

  private RemoteProcess(WebSocket socket) {
    this.socket = socket;
  }

  static RemoteProcess connect(Daemon daemon, String url) throws IOException {
    return new RemoteProcess(daemon.stream(url, List.of("v5.channel.k8s.io", "v4.channel.k8s.io")));
  }

  /** Waits for the word that the process's streams and ours are one. */
  void awaitJoined() throws IOException {
    ByteBuffer first =
        socket
            .receive()
            .orElseThrow(() -> new ProtocolException("the connection ended before it began"));
    if (first.remaining() > 1) {
      early = first;
    }
  }

  private Optional<ByteBuffer> receive() throws IOException {
    ByteBuffer first = early;
    early = null;
    return first == null ? socket.receive() : Optional.of(first);
  }

  /** Copies what the process writes until it ends; its exit code, or none if we left. */
  OptionalInt copyOutput(OutputStream stdout, OutputStream stderr) throws IOException {
    while (true) {
      Optional<ByteBuffer> received;
      try {
        received = receive();
      } catch (IOException e) {
        if (detached) {
          return OptionalInt.empty();
        }
        throw e;
      }
      if (received.isEmpty()) {
        if (detached) {
          return OptionalInt.empty();
        }
        throw new ProtocolException("the connection ended without an exit code");
      }
      ByteBuffer message = received.get();
      if (!message.hasRemaining()) {
        continue;
      }
      int channel = message.get() & 0xff;
      switch (channel) {
        case STDOUT -> copy(message, stdout);
        case STDERR -> copy(message, stderr);
        case ERROR -> {
          if (message.hasRemaining()) {
            return OptionalInt.of(exitCode(StandardCharsets.UTF_8.decode(message).toString()));
          }
        }
        default -> {
          // a half-close by the server, or a channel of a later protocol
        }
      }
    }
  }

  private static void copy(ByteBuffer message, OutputStream to) throws IOException {
    to.write(message.array(), message.arrayOffset() + message.position(), message.remaining());
    to.flush();
  }

  /** Reads a {@code metav1.Status} object. */
  private static int exitCode(String status) throws ProtocolException {
    try {
      if (new JsonReader(status).whole() instanceof Map<?, ?> whole) {
        if ("Success".equals(whole.get("status"))) {
          return 0;
        }
        if ("NonZeroExitCode".equals(whole.get("reason"))) {
          return Integer.parseInt(cause(whole, "ExitCode"));
        }
        if (whole.get("message") instanceof String message) {
          throw new ProtocolException(message);
        }
      }
    } catch (IllegalArgumentException e) {
      throw new ProtocolException("the command's status is none: " + status);
    }
    throw new ProtocolException("the command's status is none: " + status);
  }

  /** The message of the status' cause of that reason; empty when there is none. */
  private static String cause(Map<?, ?> status, String reason) {
    if (status.get("details") instanceof Map<?, ?> details
        && details.get("causes") instanceof List<?> causes) {
      for (Object each : causes) {
        if (each instanceof Map<?, ?> cause
            && reason.equals(cause.get("reason"))
            && cause.get("message") instanceof String message) {
          return message;
        }
      }
    }
    return "";
  }

  /** Sends everything the stream gives, then closes the process's standard input. */
  void copyInput(InputStream stdin) throws IOException {
    byte[] buffer = new byte[32 << 10];
    for (int n = stdin.read(buffer); n >= 0; n = stdin.read(buffer)) {
      socket.send(STDIN, buffer, 0, n);
    }
    closeInput();
  }

  void input(byte[] bytes, int offset, int length) throws IOException {
    socket.send(STDIN, bytes, offset, length);
  }

  void closeInput() throws IOException {
    if (socket.protocol().startsWith("v5")) {
      socket.send(CLOSE, new byte[] {STDIN}, 0, 1);
    }
  }

  void resize(Terminal.Size size) throws IOException {
    byte[] json =
        "{\"Width\":%d,\"Height\":%d}\n"
            .formatted(size.columns(), size.rows())
            .getBytes(StandardCharsets.US_ASCII);
    socket.send(RESIZE, json, 0, json.length);
  }

  /** Leaves; the process goes on. */
  void detach() throws IOException {
    detached = true;
    socket.close();
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
