package io.jrt.it;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnknownFieldSet;
import com.google.protobuf.UnknownFieldSet.Field;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.zip.GZIPInputStream;

/**
 * Takes OTLP traces over HTTP as a collector does. Reads the protobuf by the field numbers of
 * {@code opentelemetry/proto/trace/v1/trace.proto}, with no code of OpenTelemetry.
 */
final class Collector implements AutoCloseable {
  private static final int OK = 200;

  /**
   * A span.
   *
   * @param kind 2 is that of a server
   * @param status 2 is an error
   */
  record Span(
      String service,
      String trace,
      String id,
      String parent,
      String name,
      long kind,
      long start,
      long end,
      long status,
      Map<String, String> attributes) {}

  private final HttpServer server;
  private final List<Span> spans = new CopyOnWriteArrayList<>();

  private Collector(HttpServer server) {
    this.server = server;
  }

  static Collector start() throws IOException {
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    Collector collector = new Collector(server);
    server.createContext("/v1/traces", collector::take);
    server.start();
    return collector;
  }

  String endpoint() {
    return "http://127.0.0.1:" + server.getAddress().getPort() + "/v1/traces";
  }

  List<Span> spans() {
    return List.copyOf(spans);
  }

  private void take(HttpExchange exchange) throws IOException {
    try (exchange) {
      boolean zipped = "gzip".equals(exchange.getRequestHeaders().getFirst("Content-Encoding"));
      byte[] body =
          (zipped ? new GZIPInputStream(exchange.getRequestBody()) : exchange.getRequestBody())
              .readAllBytes();
      for (UnknownFieldSet resourceSpans : messages(UnknownFieldSet.parseFrom(body), 1)) {
        String service =
            messages(resourceSpans, 1).stream()
                .map(resource -> attributes(resource, 1))
                .map(attributes -> attributes.getOrDefault("service.name", ""))
                .findFirst()
                .orElse("");
        for (UnknownFieldSet scopeSpans : messages(resourceSpans, 2)) {
          for (UnknownFieldSet span : messages(scopeSpans, 2)) {
            spans.add(span(service, span));
          }
        }
      }
      exchange.getResponseHeaders().set("Content-Type", "application/x-protobuf");
      exchange.sendResponseHeaders(OK, -1);
    }
  }

  private static Span span(String service, UnknownFieldSet span) throws IOException {
    long status = 0;
    for (UnknownFieldSet told : messages(span, 15)) {
      status = told.getField(3).getVarintList().stream().findFirst().orElse(0L);
    }
    return new Span(
        service,
        hex(span, 1),
        hex(span, 2),
        hex(span, 4),
        bytes(span, 5).toStringUtf8(),
        span.getField(6).getVarintList().stream().findFirst().orElse(0L),
        span.getField(7).getFixed64List().getFirst(),
        span.getField(8).getFixed64List().getFirst(),
        status,
        attributes(span, 9));
  }

  private static Map<String, String> attributes(UnknownFieldSet of, int number) {
    Map<String, String> attributes = new HashMap<>();
    for (UnknownFieldSet pair : messages(of, number)) {
      UnknownFieldSet value = messages(pair, 2).getFirst();
      Field whole = value.getField(3);
      attributes.put(
          bytes(pair, 1).toStringUtf8(),
          whole.getVarintList().isEmpty()
              ? bytes(value, 1).toStringUtf8()
              : String.valueOf(whole.getVarintList().getFirst()));
    }
    return attributes;
  }

  private static List<UnknownFieldSet> messages(UnknownFieldSet of, int number) {
    return of.getField(number).getLengthDelimitedList().stream().map(Collector::message).toList();
  }

  private static UnknownFieldSet message(ByteString bytes) {
    try {
      return UnknownFieldSet.parseFrom(bytes);
    } catch (IOException e) {
      throw new AssertionError("no protobuf message", e);
    }
  }

  private static ByteString bytes(UnknownFieldSet of, int number) {
    return of.getField(number).getLengthDelimitedList().stream()
        .findFirst()
        .orElse(ByteString.EMPTY);
  }

  private static String hex(UnknownFieldSet of, int number) {
    return HexFormat.of().formatHex(bytes(of, number).toByteArray());
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
