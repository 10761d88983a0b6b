package io.jrt.image.store;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/** Stands before a registry, records what it is asked, and answers wrongly where a test says so. */
public final class FaultProxy implements AutoCloseable {

  /** Decides about a request. */
  public interface Fault {
    /**
     * @return whether it answered; else the registry is asked
     */
    boolean handle(HttpExchange exchange, Answer answer) throws IOException;
  }

  /** Asks the registry. */
  public interface Answer {
    HttpResponse<byte[]> get() throws IOException;
  }

  private final HttpServer server;
  private final HttpClient http = HttpClient.newHttpClient();
  private final String upstream;
  private final List<String> seen = new CopyOnWriteArrayList<>();
  private final String root;
  private volatile Fault fault = (exchange, answer) -> false;

  public FaultProxy(String upstream) throws IOException {
    this(upstream, null);
  }

  public FaultProxy(String upstream, @Nullable SSLContext tls) throws IOException {
    this(upstream, tls, "/v2");
  }

  /** Has the registry's API at another path than the usual, and only there. */
  public static FaultProxy at(String upstream, String root) throws IOException {
    return new FaultProxy(upstream, null, root);
  }

  private FaultProxy(String upstream, @Nullable SSLContext tls, String root) throws IOException {
    this.upstream = upstream;
    this.root = root;
    var address = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    if (tls == null) {
      server = HttpServer.create(address, 0);
    } else {
      HttpsServer https = HttpsServer.create(address, 0);
      https.setHttpsConfigurator(new HttpsConfigurator(tls));
      server = https;
    }
    server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    server.createContext("/", this::serve);
    server.start();
  }

  public void fault(Fault now) {
    fault = now;
  }

  public int port() {
    return server.getAddress().getPort();
  }

  public String host() {
    return "127.0.0.1:" + port();
  }

  /** {@code METHOD path range=… auth=…}, one line a request. */
  public List<String> seen() {
    return seen;
  }

  public void forget() {
    seen.clear();
  }

  private void serve(HttpExchange exchange) throws IOException {
    try (exchange) {
      var headers = exchange.getRequestHeaders();
      seen.add(
          exchange.getRequestMethod()
              + " "
              + exchange.getRequestURI()
              + " range="
              + headers.getFirst("Range")
              + " auth="
              + headers.getFirst("Authorization"));
      if (fault.handle(exchange, () -> ask(exchange))) {
        return;
      }
      if (exchange.getRequestURI().getPath().startsWith(root + "/")) {
        send(exchange, ask(exchange));
      } else {
        status(exchange, 404);
      }
    }
  }

  private HttpResponse<byte[]> ask(HttpExchange exchange) throws IOException {
    String path = "/v2" + exchange.getRequestURI().toString().substring(root.length());
    var request = HttpRequest.newBuilder(URI.create("http://" + upstream + path));
    request.method(exchange.getRequestMethod(), HttpRequest.BodyPublishers.noBody());
    for (String name : List.of("Accept", "Range")) {
      List<String> values = exchange.getRequestHeaders().get(name);
      if (values != null) {
        values.forEach(value -> request.header(name, value));
      }
    }
    try {
      return http.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(e);
    }
  }

  /** Passes an answer on as it is. */
  public static void send(HttpExchange exchange, HttpResponse<byte[]> answer) throws IOException {
    copyHeaders(exchange, answer);
    boolean head = exchange.getRequestMethod().equals("HEAD");
    if (head) {
      answer
          .headers()
          .firstValue("content-length")
          .ifPresent(length -> exchange.getResponseHeaders().set("Content-Length", length));
    }
    byte[] body = answer.body();
    exchange.sendResponseHeaders(answer.statusCode(), head || body.length == 0 ? -1 : body.length);
    if (!head && body.length > 0) {
      exchange.getResponseBody().write(body);
    }
  }

  /** Announces a whole answer and breaks off after some bytes of it. */
  public static void cut(HttpExchange exchange, HttpResponse<byte[]> answer, int after)
      throws IOException {
    copyHeaders(exchange, answer);
    exchange.sendResponseHeaders(answer.statusCode(), answer.body().length);
    exchange.getResponseBody().write(answer.body(), 0, after);
    exchange.getResponseBody().flush();
    throw new IOException("cut by the test");
  }

  public static void status(HttpExchange exchange, int status) throws IOException {
    exchange.sendResponseHeaders(status, -1);
  }

  private static void copyHeaders(HttpExchange exchange, HttpResponse<byte[]> answer) {
    answer
        .headers()
        .map()
        .forEach(
            (name, values) -> {
              switch (name.toLowerCase(Locale.ROOT)) {
                case "content-type", "docker-content-digest", "content-range", "location" ->
                    exchange.getResponseHeaders().put(name, values);
                default -> {}
              }
            });
  }

  @Override
  public void close() {
    server.stop(0);
    http.close();
  }
}
