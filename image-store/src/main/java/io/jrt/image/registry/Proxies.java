package io.jrt.image.registry;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Proxies by the usual variables: HTTP_PROXY, HTTPS_PROXY, NO_PROXY, in either case. */
public final class Proxies extends ProxySelector {
  private static final Logger LOG = LoggerFactory.getLogger(Proxies.class);

  private final String http;
  private final String https;
  private final List<String> direct;

  private Proxies(String http, String https, List<String> direct) {
    this.http = http;
    this.https = https;
    this.direct = direct;
  }

  public static Proxies of(Map<String, String> environment) {
    return new Proxies(
        either(environment, "HTTP_PROXY"),
        either(environment, "HTTPS_PROXY"),
        List.of(either(environment, "NO_PROXY").split("\\s*,\\s*")));
  }

  private static String either(Map<String, String> environment, String name) {
    String lower = environment.getOrDefault(name.toLowerCase(Locale.ROOT), "");
    return lower.isEmpty() ? environment.getOrDefault(name, "") : lower;
  }

  @Override
  public List<Proxy> select(URI uri) {
    String proxy = uri.getScheme().equals("https") ? https : http;
    if (proxy.isEmpty() || isDirect(uri)) {
      return List.of(Proxy.NO_PROXY);
    }
    URI address = URI.create(proxy.contains("://") ? proxy : "http://" + proxy);
    if (address.getHost() == null) {
      return List.of(Proxy.NO_PROXY);
    }
    int port = address.getPort() < 0 ? 80 : address.getPort();
    return List.of(
        new Proxy(Proxy.Type.HTTP, InetSocketAddress.createUnresolved(address.getHost(), port)));
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
