package io.jrt.it;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * A registry over plain HTTP that answers what a test tells it to, and remembers what was asked.
 */
final class HostileRegistry implements AutoCloseable {
  private final HttpServer server;
  private final ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();
  private final Map<String, HttpHandler> answers = new ConcurrentHashMap<>();
  private final List<String> seen = new CopyOnWriteArrayList<>();
  private volatile Guard guard = exchange -> true;

  /** Decides who gets answers. */
  interface Guard {
    /** Else the answer is 401, with the headers that were set. */
    boolean lets(HttpExchange exchange);
  }

  HostileRegistry(InetAddress address) throws IOException {
    this(HttpServer.create(new InetSocketAddress(address, 0), 64));
  }

  private HostileRegistry(HttpServer bound) {
    server = bound;
    server.setExecutor(executor);
    server.createContext("/", this::serve);
    server.start();
  }

  /** One on the loopback of a network; only its socket belongs there, none of its threads. */
  static HostileRegistry in(OwnNetwork network) throws Exception {
    InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    return new HostileRegistry(network.call(() -> HttpServer.create(address, 64)));
  }

  private void serve(HttpExchange exchange) throws IOException {
    String path = exchange.getRequestURI().getPath();
    seen.add(path + " auth=" + exchange.getRequestHeaders().getFirst("Authorization"));
    try (exchange) {
      HttpHandler answer = answers.get(path);
      if (!guard.lets(exchange)) {
        exchange.sendResponseHeaders(401, -1);
      } else if (answer == null) {
        exchange.sendResponseHeaders(404, -1);
      } else {
        answer.handle(exchange);
      }
    }
  }

  /** Host and port as they stand in an image's name. */
  String address() {
    return server.getAddress().getAddress().getHostAddress() + ":" + server.getAddress().getPort();
  }

  /** Each path that was asked for, and what came as authorization. */
  List<String> seen() {
    return seen;
  }

  /** Serves an image as an honest registry does; its full reference. */
  String push(String repository, TestImage image) {
    image.blobs().forEach((digest, bytes) -> answer(blob(repository, digest), bytes));
    return manifest(repository, TestImage.MANIFEST_TYPE, TestImage.utf8(image.manifest()));
  }

  /** Serves these bytes as the manifest of {@code :1}; the full reference. */
  String manifest(String repository, String type, byte[] bytes) {
    HttpHandler handler =
        exchange -> {
          exchange.getResponseHeaders().set("Content-Type", type);
          send(exchange, bytes);
        };
    answers.put("/v2/" + repository + "/manifests/1", handler);
    answers.put("/v2/" + repository + "/manifests/" + TestImage.digest(bytes), handler);
    return address() + "/" + repository + ":1";
  }

  static String blob(String repository, String digest) {
    return "/v2/" + repository + "/blobs/" + digest;
  }

  void answer(String path, byte[] bytes) {
    answer(path, exchange -> send(exchange, bytes));
  }

  void answer(String path, HttpHandler handler) {
    answers.put(path, handler);
  }

  /** Asks this of every request before it is answered. */
  void require(Guard now) {
    guard = now;
  }

  /** Answers there only who names an account; whoever it is. */
  void requireBasic(String path) {
    HttpHandler open = Objects.requireNonNull(answers.get(path));
    answer(
        path,
        exchange -> {
          if (exchange.getRequestHeaders().getFirst("Authorization") == null) {
            exchange.getResponseHeaders().set("WWW-Authenticate", "Basic realm=\"r\"");
            exchange.sendResponseHeaders(401, -1);
          } else {
            open.handle(exchange);
          }
        });
  }

  void redirect(String path, String target) {
    answer(
        path,
        exchange -> {
          exchange.getResponseHeaders().set("Location", target);
          exchange.sendResponseHeaders(307, -1);
        });
  }

  static void send(HttpExchange exchange, byte[] bytes) throws IOException {
    boolean head = exchange.getRequestMethod().equals("HEAD");
    exchange.sendResponseHeaders(200, head || bytes.length == 0 ? -1 : bytes.length);
    if (!head) {
      exchange.getResponseBody().write(bytes);
    }
  }

  @Override
  public void close() {
    server.stop(0);
    executor.close();
  }
}
