package io.jrt.image.registry;

import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * One place that serves the images of a registry: the registry itself or a mirror of it.
 *
 * @param api root of the distribution API, ending in a slash: {@code https://host/v2/}
 * @param mirror whether it is another host than the image's own
 * @param resolves whether it may turn tags into digests
 * @param pulls whether it may serve content
 * @param tls how its certificate is checked
 * @param headers sent with every request to this host
 * @param rewrites applied to the repository, the first that matches
 * @param credential configured for this host in the same file, if any
 */
record Endpoint(
    URI api,
    boolean mirror,
    boolean resolves,
    boolean pulls,
    Tls tls,
    Map<String, List<String>> headers,
    List<Rewrite> rewrites,
    Optional<Credential> credential) {

  /**
   * How a host's certificate is checked and how we show who we are.
   *
   * @param skipVerify takes any certificate
   * @param ca PEM files of authorities that are trusted besides the system's
   * @param client certificate and key, each PEM
   */
  record Tls(boolean skipVerify, List<Path> ca, List<ClientPair> client) {
    static final Tls DEFAULT = new Tls(false, List.of(), List.of());

    Tls {
      ca = List.copyOf(ca);
      client = List.copyOf(client);
    }

    /** Trusts the same authorities, and no more, for a host that this one sent us to. */
    Tls forOtherHost() {
      return new Tls(false, ca, List.of());
    }
  }

  /** A client certificate with its key. */
  record ClientPair(Path certificate, Path key) {}

  /** A rule of k3s' registries.yaml. */
  record Rewrite(java.util.regex.Pattern pattern, String replacement) {}

  Endpoint {
    headers = Map.copyOf(headers);
    rewrites = List.copyOf(rewrites);
  }

  /** Host, with port when it is not the scheme's. */
  String host() {
    return hostOf(api);
  }

  static String hostOf(URI uri) {
    return uri.getPort() < 0 ? uri.getHost() : uri.getHost() + ":" + uri.getPort();
  }

  /** The repository as this endpoint calls it. */
  String repository(String original) {
    for (Rewrite rewrite : rewrites) {
      var matcher = rewrite.pattern().matcher(original);
      if (matcher.find()) {
        return matcher.replaceAll(rewrite.replacement());
      }
    }
    return original;
  }
}
