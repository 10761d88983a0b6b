package io.jrt.image.registry;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.image.registry.Endpoint.Tls;
import java.io.IOException;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * HTTP requests to registries. Redirects are followed by hand: secrets and client certificates stay
 * with the host they are for, https never becomes http, and nobody can send us to addresses that
 * only this node reaches.
 */
final class HttpTransport implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(HttpTransport.class);
  private static final int MAX_REDIRECTS = 10;
  private static final Pattern LOOPBACK = Pattern.compile("127(\\.\\d{1,3}){3}");
  private static final Duration CONNECT = Duration.ofSeconds(30);

  /**
   * What is asked.
   *
   * @param headers may hold secrets: they go to the first host only
   * @param form sent by POST, url-encoded; empty for none
   */
  record Ask(String method, URI uri, Map<String, String> headers, String form) {
    static Ask get(URI uri, Map<String, String> headers) {
      return new Ask("GET", uri, headers, "");
    }

    @Override
    public String toString() {
      return method + " " + shown(uri);
    }
  }

  /** What came back; the body must be closed. */
  record Reply(int status, HttpHeaders headers, BodyReader body, URI uri) implements AutoCloseable {
    Optional<String> header(String name) {
      return headers.firstValue(name);
    }

    @Override
    public void close() {
      body.close();
    }
  }

  private final Map<Tls, HttpClient> clients = new ConcurrentHashMap<>();
  private final Proxies proxies;
  private final Duration patience;
  private final Executor executor;

  HttpTransport(Proxies proxies, Duration patience, Executor executor) {
    this.proxies = proxies;
    this.patience = patience;
    this.executor = executor;
  }

  /**
   * Asks, and follows redirects.
   *
   * @param tls for the first host
   * @param tlsOf TLS settings of other hosts, where some are configured
   * @throws IOException when no answer came
   */
  Reply send(Ask ask, Tls tls, Function<URI, Optional<Tls>> tlsOf) throws IOException {
    URI uri = ask.uri();
    Tls current = tls;
    Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    headers.putAll(ask.headers());
    for (int hop = 0; hop <= MAX_REDIRECTS; hop++) {
      Reply reply = once(ask, uri, headers, current);
      Optional<String> location = reply.header("location");
      if (!isRedirect(reply.status()) || location.isEmpty() || !ask.form().isEmpty()) {
        return reply;
      }
      reply.close();
      URI next = target(uri, location.get());
      if (!sameHost(uri, next)) {
        // What was for the first host is not for the next: secrets, cookies, custom headers.
        headers
            .keySet()
            .removeIf(
                name ->
                    !name.equalsIgnoreCase("accept")
                        && !name.equalsIgnoreCase("range")
                        && !name.equalsIgnoreCase("accept-encoding"));
        Tls sender = current;
        current = tlsOf.apply(next).orElseGet(sender::forOtherHost);
        LOG.debug("{} is redirected to {}", shown(uri), shown(next));
      }
      uri = next;
    }
    throw new JrtException(
        ErrorKind.UNAVAILABLE, "ask registry", ask + " is redirected more than 10 times");
  }

  private Reply once(Ask ask, URI uri, Map<String, String> headers, Tls tls) throws IOException {
    HttpRequest.Builder request = HttpRequest.newBuilder(uri).timeout(patience);
    headers.forEach(request::setHeader);
    request.setHeader("User-Agent", "jrt");
    proxies.authorization(uri).ifPresent(value -> request.setHeader("Proxy-Authorization", value));
    if (ask.form().isEmpty()) {
      request.method(ask.method(), HttpRequest.BodyPublishers.noBody());
    } else {
      request.setHeader("Content-Type", "application/x-www-form-urlencoded");
      request.POST(HttpRequest.BodyPublishers.ofString(ask.form()));
    }
    if (uri.getScheme().equals("http") || isOneOfMany(headers)) {
      request.version(HttpClient.Version.HTTP_1_1);
    }
    try {
      HttpResponse<BodyReader> response =
          client(tls).send(request.build(), info -> new BodyReader(patience));
      return new Reply(response.statusCode(), response.headers(), response.body(), uri);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new JrtException(ErrorKind.CANCELLED, "ask registry", "the pull was stopped", e);
    }
  }

  /** Ranges want a connection each; HTTP/2 would carry all of them over one. */
  private static boolean isOneOfMany(Map<String, String> headers) {
    String range = headers.getOrDefault("Range", "");
    return !range.isEmpty() && !range.endsWith("-");
  }

  private static boolean isRedirect(int status) {
    return switch (status) {
      case 301, 302, 303, 307, 308 -> true;
      default -> false;
    };
  }

  private static URI target(URI from, String location) {
    URI next;
    try {
      next = from.resolve(location);
    } catch (IllegalArgumentException e) {
      throw new JrtException(
          ErrorKind.UNAVAILABLE, "ask registry", shown(from) + " redirects to no address", e);
    }
    requireReachable(from, next);
    return next;
  }

  /**
   * Checks an address that a registry sent us to, a redirect's or a token server's.
   *
   * @throws JrtException DENIED
   */
  static void requireReachable(URI from, URI next) {
    String scheme = next.getScheme() == null ? "" : next.getScheme().toLowerCase(Locale.ROOT);
    boolean web = scheme.equals("https") || scheme.equals("http");
    if (!web || next.getHost() == null) {
      throw denied(from, next, "which is no web address");
    }
    if (scheme.equals("http") && from.getScheme().equals("https")) {
      throw denied(from, next, "which gives up encryption");
    }
    try {
      boolean local = isLoopback(from.getHost());
      for (InetAddress address : InetAddress.getAllByName(next.getHost())) {
        if (address.isLinkLocalAddress()
            || address.isAnyLocalAddress()
            || address.isMulticastAddress()
            || (address.isLoopbackAddress() && !local)) {
          throw denied(from, next, "which only this node reaches");
        }
      }
    } catch (UnknownHostException e) {
      // A proxy may know it; without one the connection says so.
      LOG.debug("{} is not known here", next.getHost());
    }
  }

  /** By its name alone: names of others may begin as an address does, 127.example.org. */
  static boolean isLoopback(String host) {
    return host.equals("localhost")
        || LOOPBACK.matcher(host).matches()
        || host.equals("::1")
        || host.equals("[::1]");
  }

  private static boolean sameHost(URI a, URI b) {
    return a.getScheme().equals(b.getScheme())
        && a.getHost().equalsIgnoreCase(b.getHost())
        && a.getPort() == b.getPort();
  }

  private HttpClient client(Tls tls) {
    return clients.computeIfAbsent(
        tls,
        key -> {
          HttpClient.Builder builder =
              HttpClient.newBuilder()
                  .followRedirects(HttpClient.Redirect.NEVER)
                  .connectTimeout(CONNECT.compareTo(patience) < 0 ? CONNECT : patience)
                  .proxy(proxies)
                  .executor(executor);
          TlsFiles.apply(key, builder);
          return builder.build();
        });
  }

  /** Forgets clients whose certificates may have changed; called at the start of a pull. */
  void forgetCustomTls() {
    clients.keySet().removeIf(tls -> !tls.equals(Tls.DEFAULT));
  }

  /** An address without its query, which may hold a signature, and without user data. */
  static String shown(URI uri) {
    return uri.getScheme()
        + "://"
        + Endpoint.hostOf(uri)
        + (uri.getRawPath() == null ? "" : uri.getRawPath());
  }

  private static JrtException denied(URI from, URI next, String why) {
    String to = next.getHost() == null ? "another place" : shown(next);
    return new JrtException(
        ErrorKind.DENIED,
        "ask registry",
        Endpoint.hostOf(from) + " sends us to " + to + ", " + why);
  }

  @Override
  public void close() {
    clients.values().forEach(HttpClient::shutdownNow);
    clients.clear();
  }

  /** All header values of a name, in order. */
  static List<String> all(Reply reply, String name) {
    return reply.headers().allValues(name);
  }
}
