package io.jrt.image.registry;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.image.content.Json;
import io.jrt.image.registry.Endpoint.ClientPair;
import io.jrt.image.registry.Endpoint.Rewrite;
import io.jrt.image.registry.Endpoint.Tls;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.dataformat.yaml.YAMLMapper;

/** k3s' registries.yaml: mirrors with rewrites, credentials and TLS by host, {@code *} for any. */
final class RegistriesYaml {
  private static final YAMLMapper YAML = new YAMLMapper();
  private static final int MAX_FILE = 1 << 20;

  private static final Path WORKING_DIRECTORY = Path.of("");

  private final String what;
  private final JsonNode root;

  private RegistriesYaml(String what, JsonNode root) {
    this.what = what;
    this.root = root;
  }

  static Optional<RegistriesYaml> read(Path file) {
    try {
      if (Files.size(file) > MAX_FILE) {
        throw invalid(file + " is larger than " + MAX_FILE + " bytes", null);
      }
      JsonNode root = YAML.readTree(Files.readAllBytes(file));
      if (root.isMissingNode() || root.isNull()) {
        return Optional.empty();
      }
      return Optional.of(new RegistriesYaml(file.toString(), root));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException | JacksonException e) {
      // The parser's message may quote a password.
      throw invalid(file + " cannot be read as YAML", e instanceof IOException ? e : null);
    }
  }

  List<Endpoint> mirrors(String registry, RegistryHosts hosts) {
    JsonNode all = Json.objectOrMissing(what, root, "mirrors");
    JsonNode mirror = all.path(registry);
    if (mirror.isMissingNode()) {
      mirror = all.path("*");
    }
    var endpoints = new ArrayList<Endpoint>();
    List<Rewrite> rewrites = rewrites(mirror);
    for (String text : Json.texts(what, mirror, "endpoint")) {
      URI api = api(text, hosts);
      String host = Endpoint.hostOf(api);
      boolean own = host.equals(RegistryHosts.hostOfApi(registry));
      endpoints.add(
          new Endpoint(
              api, !own, true, true, tls(host, host), Map.of(), rewrites, credential(host, host)));
    }
    return endpoints;
  }

  private URI api(String text, RegistryHosts hosts) {
    try {
      String full = text;
      if (!text.contains("://")) {
        int slash = text.indexOf('/');
        String host = slash < 0 ? text : text.substring(0, slash);
        full = (hosts.isPlainHttp(host) ? "http://" : "https://") + text;
      }
      URI uri = URI.create(full);
      if (uri.getHost() == null) {
        throw invalid(what + " has an endpoint without a host", null);
      }
      String path = uri.getRawPath() == null ? "" : uri.getRawPath().replaceAll("/+$", "");
      String root = path.isEmpty() || path.equals("/v2") ? "/v2/" : path + "/";
      return URI.create(uri.getScheme() + "://" + uri.getRawAuthority() + root);
    } catch (IllegalArgumentException e) {
      throw invalid(what + " has an endpoint that is no address", e);
    }
  }

  private List<Rewrite> rewrites(JsonNode mirror) {
    var rewrites = new ArrayList<Rewrite>();
    for (Map.Entry<String, String> rule : Json.textMap(what, mirror, "rewrite").entrySet()) {
      try {
        // Go writes ${1} and $1; Java knows $1 and takes ${name} for a name.
        String replacement = rule.getValue().replaceAll("\\$\\{([0-9]+)\\}", "\\$$1");
        rewrites.add(new Rewrite(Pattern.compile(rule.getKey()), replacement));
      } catch (PatternSyntaxException e) {
        throw invalid(what + " has a rewrite that is no regular expression", e);
      }
    }
    return rewrites;
  }

  Tls tls(String host, String alias) {
    JsonNode tls = Json.objectOrMissing(what, config(host, alias), "tls");
    String ca = Json.text(what, tls, "ca_file");
    String cert = Json.text(what, tls, "cert_file");
    String key = Json.text(what, tls, "key_file");
    return new Tls(
        truth(tls.path("insecure_skip_verify")),
        ca.isEmpty() ? List.of() : List.of(Json.path(what, WORKING_DIRECTORY, ca)),
        cert.isEmpty() || key.isEmpty()
            ? List.of()
            : List.of(
                new ClientPair(
                    Json.path(what, WORKING_DIRECTORY, cert),
                    Json.path(what, WORKING_DIRECTORY, key))));
  }

  Optional<Credential> credential(String host, String alias) {
    JsonNode auth = Json.objectOrMissing(what, config(host, alias), "auth");
    String token = Json.text(what, auth, "token");
    String identity = Json.text(what, auth, "identity_token");
    String user = Json.text(what, auth, "username");
    String encoded = Json.text(what, auth, "auth");
    if (!user.isEmpty()) {
      return Optional.of(new Credential.Basic(user, Json.text(what, auth, "password")));
    }
    if (!encoded.isEmpty()) {
      return Credential.ofBase64(encoded);
    }
    String refresh = identity.isEmpty() ? token : identity;
    return refresh.isEmpty() ? Optional.empty() : Optional.of(new Credential.Identity(refresh));
  }

  private JsonNode config(String host, String alias) {
    JsonNode configs = Json.objectOrMissing(what, root, "configs");
    String canonical = RegistryHosts.canonical(host);
    for (String name : List.of(host, alias, canonical)) {
      if (configs.has(name)) {
        return configs.path(name);
      }
    }
    return configs.path("*");
  }

  /** k3s' YAML is 1.1, where yes and on are true. */
  private static boolean truth(JsonNode value) {
    return value.isBoolean()
        ? value.booleanValue()
        : value.isString()
            && switch (value.stringValue().toLowerCase(Locale.ROOT)) {
              case "yes", "on", "true", "y" -> true;
              default -> false;
            };
  }

  private static JrtException invalid(
      String message, @org.jspecify.annotations.Nullable Throwable cause) {
    return new JrtException(ErrorKind.INVALID, "read registries", message, cause);
  }
}
