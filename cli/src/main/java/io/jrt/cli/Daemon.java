package io.jrt.cli;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import io.jrt.admin.v1.InfoRequest;
import io.jrt.admin.v1.InfoResponse;
import io.jrt.cli.rpc.Call;
import io.jrt.cli.rpc.ProtocolException;
import io.jrt.cli.rpc.WebSocket;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** The daemon behind a unix socket: calls by full method name, one connection each. */
final class Daemon {
  private static final String RUNTIME = "runtime.v1.RuntimeService/";
  private static final String IMAGES = "runtime.v1.ImageService/";
  private static final String ADMIN = "jrt.v1.Admin/";

  private final Path socket;
  private final Duration timeout;

  Daemon(Path socket, Duration timeout) {
    this.socket = socket;
    this.timeout = timeout;
  }

  <T> T runtime(String method, MessageLite request, Parser<T> answer) throws IOException {
    return unary(RUNTIME + method, request, answer);
  }

  <T> T images(String method, MessageLite request, Parser<T> answer) throws IOException {
    return unary(IMAGES + method, request, answer);
  }

  <T> T admin(String method, MessageLite request, Parser<T> answer) throws IOException {
    return unary(ADMIN + method, request, answer);
  }

  /** A call of the admin service whose answers come one after another. */
  <T> Answers<T> adminStream(String method, MessageLite request, Parser<T> answer)
      throws IOException {
    Call call = open(ADMIN + method, Duration.ZERO);
    try {
      call.send(request.toByteArray());
      call.halfClose();
      return new Answers<>(call, answer);
    } catch (IOException | RuntimeException e) {
      call.close();
      throw e;
    }
  }

  /** A call of the admin service that takes many requests and gives one answer. */
  Call adminUpload(String method) throws IOException {
    return open(ADMIN + method, Duration.ZERO);
  }

  /**
   * Connects to a URL that a call has answered. Where that speaks TLS, the daemon says over its own
   * socket by which certificate it is known.
   */
  WebSocket stream(String url, List<String> protocols) throws IOException {
    String certificates =
        url.startsWith("https:")
            ? admin("Info", InfoRequest.getDefaultInstance(), InfoResponse.parser())
                .getStreamingCertificates()
            : "";
    return WebSocket.connect(URI.create(url), protocols, certificates);
  }

  private <T> T unary(String method, MessageLite request, Parser<T> parser) throws IOException {
    try (Call call = open(method, timeout)) {
      call.send(request.toByteArray());
      call.halfClose();
      return answer(call, parser);
    }
  }

  static <T> T answer(Call call, Parser<T> parser) throws IOException {
    Optional<byte[]> answer = call.next();
    if (answer.isEmpty()) {
      throw new ProtocolException("the daemon gave no answer");
    }
    T message = parser.parseFrom(answer.get());
    call.next(); // the status
    return message;
  }

  private Call open(String method, Duration deadline) throws IOException {
    try {
      return Call.open(socket, method, deadline);
    } catch (IOException e) {
      throw new IOException(reason(e), e);
    }
  }

  private String reason(IOException e) {
    if (!Files.exists(socket.toAbsolutePath().getParent())
        || (Files.isReadable(socket.toAbsolutePath().getParent()) && !Files.exists(socket))) {
      return "no daemon at "
          + socket
          + ": is jrtd running? (systemctl status jrtd; --socket or JRT_SOCKET name another)";
    }
    if (!Files.isWritable(socket)) {
      return "not allowed to use " + socket + ": run as root";
    }
    return "no daemon answers at " + socket + ": " + e.getMessage();
  }

  /** Answers of a streaming call, in order. */
  static final class Answers<T> implements AutoCloseable {
    private final Call call;
    private final Parser<T> parser;

    private Answers(Call call, Parser<T> parser) {
      this.call = call;
      this.parser = parser;
    }

    /** The next one, or empty at the end. */
    Optional<T> next() throws IOException {
      Optional<byte[]> bytes = call.next();
      if (bytes.isEmpty()) {
        return Optional.empty();
      }
      try {
        return Optional.of(parser.parseFrom(bytes.get()));
      } catch (InvalidProtocolBufferException e) {
        throw new IOException("the daemon's answer cannot be read: " + e.getMessage(), e);
      }
    }

    @Override
    public void close() throws IOException {
      call.close();
    }
  }
}
