package io.jrt.image.registry;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

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
  record Rewrite(Pattern pattern, String replacement) {}

  /** Wider than the specification, since some registries are. */
  private static final Pattern REPOSITORY = Pattern.compile("[A-Za-z0-9._~/+-]{1,1024}");

  Endpoint {
    boolean web = "http".equals(api.getScheme()) || "https".equals(api.getScheme());
    if (!web || api.getHost() == null || api.getPort() > 65535) {
      throw new JrtException(
          ErrorKind.INVALID,
          "read registries",
          "'" + api.getScheme() + "://" + api.getHost() + "' is configured, but is no web address");
    }
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

  /**
   * The address of something of a repository.
   *
   * @param path below the repository: {@code manifests/TAG}, {@code blobs/DIGEST}
   * @param registry that the image is named after; a mirror is told
   * @throws JrtException INVALID when a rewrite makes a repository that cannot be
   */
  URI uri(String repository, String path, String registry) {
    String query = mirror ? "?ns=" + URLEncoder.encode(registry, StandardCharsets.UTF_8) : "";
    String name = repository(repository);
    if (!REPOSITORY.matcher(name).matches()) {
      throw new JrtException(
          ErrorKind.INVALID,
          "ask registry",
          "the rewrites for " + host() + " make '" + name + "' of " + repository);
    }
    return URI.create(api + name + "/" + path + query);
  }

  /** The repository as this endpoint calls it. */
  String repository(String original) {
    for (Rewrite rewrite : rewrites) {
      var matcher = rewrite.pattern().matcher(original);
      if (matcher.find()) {
        try {
          return matcher.replaceAll(rewrite.replacement());
        } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
          throw new JrtException(
              ErrorKind.INVALID,
              "read registries",
              "the rewrite '"
                  + rewrite.pattern()
                  + "' has a replacement that cannot be: "
                  + rewrite.replacement(),
              e);
        }
      }
    }
    return original;
  }
}
