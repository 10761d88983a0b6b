package io.jrt.server.nri;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.Parser;
import io.jrt.errors.JrtException;
import io.jrt.ttrpc.Request;
import io.jrt.ttrpc.Response;
import io.jrt.ttrpc.Status;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The socket that the daemon shares with one plugin. Two ttrpc connections go over it: on the first
 * the daemon calls the plugin, on the second the plugin calls the daemon. Pieces of both are marked
 * by a head of two words: the connection's number and the length.
 *
 * <p>What breaks the protocol, or a socket that fails, ends the link and every call on it.
 */
final class PluginLink implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(PluginLink.class);
  private static final String PLUGIN_SERVICE = "nri.pkg.api.v1alpha1.Plugin";
  private static final String RUNTIME_SERVICE = "nri.pkg.api.v1alpha1.Runtime";
  private static final int TO_PLUGIN = 1;
  private static final int TO_DAEMON = 2;
  private static final int HEAD = 8;
  private static final int LONGEST_PIECE = 10 + Frame.LONGEST;
  private static final int CALLS_AT_ONCE = 16;
  private static final int CODE_UNKNOWN = 2;
  private static final int CODE_UNIMPLEMENTED = 12;

  /** Who answers the plugin. */
  interface Service {
    /**
     * @return the answer, or empty for a method that is not known
     * @throws JrtException to be told to the plugin
     */
    Optional<Message> call(String method, ByteString payload) throws InvalidProtocolBufferException;

    /** The link has ended; called once or more often. */
    void ended();
  }

  private final ByteChannel socket;
  private final Service service;
  private final ReentrantLock sending = new ReentrantLock();
  private int nextStream = 1; // guarded by sending
  private final Map<Integer, BlockingQueue<Optional<Response>>> calls = new ConcurrentHashMap<>();
  private final Semaphore answering = new Semaphore(CALLS_AT_ONCE);
  private volatile boolean closed;

  PluginLink(ByteChannel socket, Service service) {
    this.socket = socket;
    this.service = service;
  }

  void start() {
    Thread.ofVirtual().name("nri-plugin").start(this::read);
  }

  /** Calls a method of the plugin and waits for the answer. */
  <T> T call(String method, Message request, Parser<T> parser, Duration limit) throws CallFailure {
    Request envelope =
        Request.newBuilder()
            .setService(PLUGIN_SERVICE)
            .setMethod(method)
            .setPayload(request.toByteString())
            .setTimeoutNano(limit.toNanos())
            .build();
    BlockingQueue<Optional<Response>> answer = new ArrayBlockingQueue<>(1);
    try {
      ask(envelope, answer);
      Optional<Response> response =
          closed ? Optional.empty() : answer.poll(limit.toNanos(), TimeUnit.NANOSECONDS);
      if (response == null) {
        throw new CallFailure.Broken("no answer to %s within %s".formatted(method, limit));
      }
      Response given = response.orElseThrow(() -> new CallFailure.Broken("the plugin has gone"));
      if (given.getStatus().getCode() != 0) {
        throw new CallFailure.Refused(given.getStatus().getCode(), given.getStatus().getMessage());
      }
      return parser.parseFrom(given.getPayload());
    } catch (InvalidProtocolBufferException e) {
      throw new CallFailure.Broken(
          "the answer to %s is none: %s".formatted(method, e.getMessage()));
    } catch (IOException e) {
      throw new CallFailure.Broken("cannot call %s: %s".formatted(method, e.getMessage()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CallFailure.Broken("interrupted while waiting for the answer to " + method);
    } finally {
      calls.values().remove(answer);
    }
  }

  /** Sends a request on a stream of its own; ttrpc wants streams to begin in order. */
  private void ask(Request request, BlockingQueue<Optional<Response>> answer) throws IOException {
    sending.lock();
    try {
      int stream = nextStream;
      nextStream += 2;
      calls.put(stream, answer);
      send(TO_PLUGIN, new Frame(stream, Frame.REQUEST, (byte) 0, request.toByteString()));
    } finally {
      sending.unlock();
    }
  }

  private void send(int connection, Frame frame) throws IOException {
    if (frame.data().size() > Frame.LONGEST) {
      throw new IOException("a message of %d bytes is too long".formatted(frame.data().size()));
    }
    ByteBuffer bytes = frame.bytes();
    ByteBuffer head = ByteBuffer.allocate(HEAD).putInt(connection).putInt(bytes.remaining()).flip();
    sending.lock();
    try {
      for (ByteBuffer part : new ByteBuffer[] {head, bytes}) {
        while (part.hasRemaining()) {
          socket.write(part);
        }
      }
    } finally {
      sending.unlock();
    }
  }

  private void read() {
    try {
      Frame.Assembler answers = new Frame.Assembler();
      Frame.Assembler requests = new Frame.Assembler();
      ByteBuffer head = ByteBuffer.allocate(HEAD);
      while (!closed) {
        fill(head.clear());
        int connection = head.getInt();
        int length = head.getInt();
        if (length < 0 || length > LONGEST_PIECE) {
          throw new IOException("a piece of %d bytes".formatted(Integer.toUnsignedLong(length)));
        }
        ByteBuffer piece = ByteBuffer.allocate(length);
        fill(piece);
        switch (connection) {
          case TO_PLUGIN -> {
            answers.add(piece);
            for (var frame = answers.next(); frame.isPresent(); frame = answers.next()) {
              answered(frame.get());
            }
          }
          case TO_DAEMON -> {
            requests.add(piece);
            for (var frame = requests.next(); frame.isPresent(); frame = requests.next()) {
              asked(frame.get());
            }
          }
          default -> log.debug("a piece of connection {}, which nobody uses", connection);
        }
      }
    } catch (EOFException e) {
      log.debug("a plugin has closed its socket");
    } catch (IOException e) {
      if (!closed) {
        log.warn("the link to an nri plugin is broken: {}", e.toString());
      }
    } catch (InterruptedException e) {
      log.debug("interrupted");
    } finally {
      close();
    }
  }

  /** Fills the buffer and flips it. */
  private void fill(ByteBuffer buffer) throws IOException {
    while (buffer.hasRemaining()) {
      if (socket.read(buffer) < 0) {
        throw new EOFException();
      }
    }
    buffer.flip();
  }

  private void answered(Frame frame) throws IOException {
    if (frame.type() != Frame.RESPONSE) {
      throw new IOException("a frame of type %d where a response was due".formatted(frame.type()));
    }
    BlockingQueue<Optional<Response>> waiting = calls.get(frame.stream());
    // Nobody waits for it any more when its time was over.
    if (waiting != null && !waiting.offer(Optional.of(Response.parseFrom(frame.data())))) {
      throw new IOException("two responses to one call");
    }
  }

  private void asked(Frame frame) throws IOException, InterruptedException {
    if (frame.type() != Frame.REQUEST) {
      throw new IOException("a frame of type %d where a request was due".formatted(frame.type()));
    }
    Request request = Request.parseFrom(frame.data());
    answering.acquire();
    Thread.ofVirtual()
        .name("nri-request")
        .start(
            () -> {
              try {
                Response response = response(request);
                send(
                    TO_DAEMON,
                    new Frame(frame.stream(), Frame.RESPONSE, (byte) 0, response.toByteString()));
              } catch (IOException e) {
                log.debug("the plugin did not take the answer: {}", e.toString());
                close();
              } finally {
                answering.release();
              }
            });
  }

  private Response response(Request request) {
    try {
      if (request.getService().equals(RUNTIME_SERVICE)) {
        Optional<Message> answer = service.call(request.getMethod(), request.getPayload());
        if (answer.isPresent()) {
          return Response.newBuilder().setPayload(answer.get().toByteString()).build();
        }
      }
      return failed(
          CODE_UNIMPLEMENTED, "%s/%s".formatted(request.getService(), request.getMethod()));
    } catch (InvalidProtocolBufferException e) {
      return failed(CODE_UNKNOWN, "the request is none: " + e.getMessage());
    } catch (RuntimeException e) {
      if (!(e instanceof JrtException)) {
        log.error("a request of an nri plugin, {}, failed", request.getMethod(), e);
      }
      return failed(CODE_UNKNOWN, String.valueOf(e.getMessage()));
    }
  }

  private static Response failed(int code, String message) {
    return Response.newBuilder()
        .setStatus(Status.newBuilder().setCode(code).setMessage(message))
        .build();
  }

  @Override
  public void close() {
    closed = true;
    try {
      socket.close();
    } catch (IOException e) {
      log.debug("closing the socket of a plugin failed: {}", e.toString());
    }
    calls.values().forEach(waiting -> waiting.offer(Optional.empty()));
    service.ended();
  }
}
