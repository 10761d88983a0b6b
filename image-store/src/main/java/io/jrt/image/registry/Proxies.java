package io.jrt.image.registry;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Proxies by the usual variables: HTTP_PROXY, HTTPS_PROXY, NO_PROXY, in either case. A proxy may
 * want a user and a password, which stand in its address.
 */
public final class Proxies extends ProxySelector {
  private static final Logger LOG = LoggerFactory.getLogger(Proxies.class);

  private final Map<String, String> environment;
  private final List<String> direct;

  private Proxies(Map<String, String> environment) {
    this.environment = Map.copyOf(environment);
    this.direct = List.of(either(environment, "NO_PROXY").strip().split("\\s*,\\s*"));
  }

  public static Proxies of(Map<String, String> environment) {
    return new Proxies(environment);
  }

  private static String either(Map<String, String> environment, String name) {
    String lower = environment.getOrDefault(name.toLowerCase(Locale.ROOT), "");
    return lower.isEmpty() ? environment.getOrDefault(name, "") : lower;
  }

  @Override
  public List<Proxy> select(URI uri) {
    return List.of(
        address(uri)
            .map(
                proxy ->
                    new Proxy(
                        Proxy.Type.HTTP,
                        InetSocketAddress.createUnresolved(
                            proxy.getHost(), proxy.getPort() < 0 ? 80 : proxy.getPort())))
            .orElse(Proxy.NO_PROXY));
  }

  /** What the proxy of an address wants as {@code Proxy-Authorization}, if anything. */
  Optional<String> authorization(URI uri) {
    return address(uri)
        .map(URI::getRawUserInfo)
        .map(
            info -> {
              byte[] pair =
                  URLDecoder.decode(info.replace("+", "%2B"), StandardCharsets.UTF_8)
                      .getBytes(StandardCharsets.UTF_8);
              return "Basic " + Base64.getEncoder().encodeToString(pair);
            });
  }

  private Optional<URI> address(URI uri) {
    String name = uri.getScheme().equals("https") ? "HTTPS_PROXY" : "HTTP_PROXY";
    String text = either(environment, name).strip();
    if (text.isEmpty() || isDirect(uri)) {
      return Optional.empty();
    }
    try {
      URI proxy = new URI(text.contains("://") ? text : "http://" + text);
      if (proxy.getHost() != null && "http".equals(proxy.getScheme()) && proxy.getPort() < 65536) {
        return Optional.of(proxy);
      }
    } catch (URISyntaxException e) {
      // Its message quotes the address, which may hold a password.
      LOG.debug("{} cannot be read", name);
    }
    throw new JrtException(
        ErrorKind.INVALID,
        "ask registry",
        "the variable " + name + " of the daemon is no address of an HTTP proxy",
        "write it as http://host:port or http://user:password@host:port",
        null);
  }

  private boolean isDirect(URI uri) {
    String host = uri.getHost().toLowerCase(Locale.ROOT);
    if (HttpTransport.isLoopback(host)) {
      return true;
    }
    for (String rule : direct) {
      String name = rule.toLowerCase(Locale.ROOT);
      if (name.equals("*") || name.equals(host) || name.equals(Endpoint.hostOf(uri))) {
        return true;
      }
      String suffix = name.startsWith(".") ? name : "." + name;
      if (!name.isEmpty() && host.endsWith(suffix)) {
        return true;
      }
    }
    return false;
  }

  @Override
  public void connectFailed(URI uri, SocketAddress address, IOException cause) {
    LOG.info("the proxy {} does not answer for {}", address, uri.getHost());
  }
}
