package io.jrt.image.registry;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.image.content.Json;
import io.jrt.image.registry.Endpoint.ClientPair;
import io.jrt.image.registry.Endpoint.Tls;
import java.io.IOException;
import java.net.URI;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.dataformat.toml.TomlMapper;

/** containerd's certs.d: {@code <registry>/hosts.toml}, or docker's certificates in that place. */
final class HostsToml {
  private static final TomlMapper TOML = new TomlMapper();

  private static final Pattern HEADER = Pattern.compile("[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}");
  private static final Pattern VALUE = Pattern.compile("[\\t\\x20-\\x7e\\x80-\\xff]{0,8000}");

  /** {@code referrers} is asked where {@code resolve} is; nothing is pushed. */
  private static final Set<String> CAPABILITIES = Set.of("pull", "resolve", "push", "referrers");

  /** What the HTTP client says by itself. */
  private static final Set<String> RESERVED =
      Set.of("connection", "content-length", "expect", "host", "upgrade", "range");

  private final Path directory;
  private final String what;
  private final RegistryHosts hosts;

  private HostsToml(Path directory, RegistryHosts hosts) {
    this.directory = directory;
    this.what = directory.resolve("hosts.toml").toString();
    this.hosts = hosts;
  }

  /** The places of a registry, if a directory says something of it. */
  static Optional<List<Endpoint>> read(List<Path> roots, String registry, RegistryHosts hosts) {
    for (Path root : roots) {
      for (String name : List.of(underscored(registry), registry, "_default")) {
        Path directory = root.resolve(name);
        if (Files.isDirectory(directory)) {
          var toml = new HostsToml(directory, hosts);
          return Optional.of(
              Files.exists(directory.resolve("hosts.toml"))
                  ? toml.endpoints(registry)
                  : List.of(toml.certificatesOnly(registry)));
        }
      }
    }
    return Optional.empty();
  }

  /** {@code host:port} may be written {@code host_port_}, for filesystems without colons. */
  private static String underscored(String registry) {
    int colon = registry.lastIndexOf(':');
    return colon < 0
        ? registry
        : registry.substring(0, colon) + "_" + registry.substring(colon + 1) + "_";
  }

  private List<Endpoint> endpoints(String registry) {
    JsonNode root;
    try {
      root = TOML.readTree(Files.readAllBytes(directory.resolve("hosts.toml")));
    } catch (IOException | JacksonException e) {
      // The parser's message may quote a secret header.
      throw new JrtException(
          ErrorKind.INVALID, "read registries", what + " cannot be read as TOML");
    }
    var endpoints = new ArrayList<Endpoint>();
    for (Map.Entry<String, JsonNode> host : Json.objectOrMissing(what, root, "host").properties()) {
      endpoints.add(endpoint(host.getKey(), host.getValue(), registry));
    }
    String server = Json.text(what, root, "server");
    String origin = server.isEmpty() ? hosts.apiOf(registry).toString() : server;
    endpoints.add(endpoint(origin, root, registry));
    return endpoints;
  }

  private Endpoint endpoint(String address, JsonNode settings, String registry) {
    URI uri;
    try {
      uri = URI.create(address.contains("://") ? address : "https://" + address);
    } catch (IllegalArgumentException e) {
      throw new JrtException(
          ErrorKind.INVALID, "read registries", what + " has a host that is no address", e);
    }
    if (uri.getHost() == null) {
      throw new JrtException(
          ErrorKind.INVALID, "read registries", what + " has an address without a host");
    }
    String path = uri.getRawPath() == null ? "" : uri.getRawPath().replaceAll("/+$", "");
    boolean override = Json.flag(what, settings, "override_path");
    String root = override || path.endsWith("/v2") ? path + "/" : path + "/v2/";
    URI api = URI.create(uri.getScheme() + "://" + uri.getRawAuthority() + root);
    List<String> able = Json.texts(what, settings, "capabilities");
    for (String one : able) {
      if (!CAPABILITIES.contains(one)) {
        throw new JrtException(
            ErrorKind.INVALID,
            "read registries",
            what + " gives a host the unknown capability '" + one + "'");
      }
    }
    String host = Endpoint.hostOf(api);
    return new Endpoint(
        api,
        !host.equals(RegistryHosts.hostOfApi(registry)),
        able.isEmpty() || able.contains("resolve"),
        able.isEmpty() || able.contains("pull"),
        tls(settings),
        headers(settings),
        List.of(),
        Optional.empty());
  }

  private Tls tls(JsonNode settings) {
    var ca = new ArrayList<Path>();
    for (String file : textOrTexts(settings.path("ca"))) {
      ca.add(Json.path(what, directory, file));
    }
    var pairs = new ArrayList<ClientPair>();
    JsonNode client = settings.path("client");
    if (client.isString()) {
      pairs.add(pair(client.stringValue(), client.stringValue()));
    } else if (client.isArray()) {
      for (JsonNode item : client) {
        List<String> files = textOrTexts(item);
        if (!files.isEmpty()) {
          pairs.add(pair(files.getFirst(), files.getLast()));
        }
      }
    }
    return new Tls(Json.flag(what, settings, "skip_verify"), ca, pairs);
  }

  private ClientPair pair(String certificate, String key) {
    return new ClientPair(Json.path(what, directory, certificate), Json.path(what, directory, key));
  }

  private Map<String, List<String>> headers(JsonNode settings) {
    var headers = new LinkedHashMap<String, List<String>>();
    for (Map.Entry<String, JsonNode> header :
        Json.objectOrMissing(what, settings, "header").properties()) {
      List<String> values = textOrTexts(header.getValue());
      if (!HEADER.matcher(header.getKey()).matches()
          || RESERVED.contains(header.getKey().toLowerCase(Locale.ROOT))
          || !values.stream().allMatch(value -> VALUE.matcher(value).matches())) {
        throw new JrtException(
            ErrorKind.INVALID, "read registries", what + " has a header that cannot be sent");
      }
      headers.put(header.getKey(), values);
    }
    return headers;
  }

  private static List<String> textOrTexts(JsonNode value) {
    if (value.isString()) {
      return List.of(value.stringValue());
    }
    var texts = new ArrayList<String>();
    for (JsonNode item : value) {
      if (item.isString()) {
        texts.add(item.stringValue());
      }
    }
    return texts;
  }

  /** Docker's way: *.crt are authorities, *.cert with *.key of the same name are ours. */
  private Endpoint certificatesOnly(String registry) {
    var ca = new ArrayList<Path>();
    var pairs = new ArrayList<ClientPair>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
      for (Path file : files) {
        String name = file.getFileName().toString();
        if (name.endsWith(".crt")) {
          ca.add(file);
        } else if (name.endsWith(".cert")) {
          pairs.add(
              new ClientPair(
                  file, file.resolveSibling(name.substring(0, name.length() - 5) + ".key")));
        }
      }
    } catch (IOException e) {
      throw new JrtException(
          ErrorKind.INVALID, "read registries", directory + " cannot be listed", e);
    }
    ca.sort(null);
    return new Endpoint(
        hosts.apiOf(registry),
        false,
        true,
        true,
        new Tls(false, ca, pairs),
        Map.of(),
        List.of(),
        Optional.empty());
  }
}
