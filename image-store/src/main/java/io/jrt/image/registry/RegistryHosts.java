package io.jrt.image.registry;

import io.jrt.image.ImageStoreConfig.Registries;
import io.jrt.image.Reference;
import io.jrt.image.RegistryAuth;
import io.jrt.image.registry.Endpoint.Tls;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Where the images of a registry are, by the files of the node: containerd's hosts.toml first, else
 * k3s' registries.yaml, else the registry itself. Files are read at every question, so that a
 * change needs no restart.
 */
public final class RegistryHosts {
  private final Registries config;

  public RegistryHosts(Registries config) {
    this.config = config;
  }

  /** The places to ask for a registry's images, in order; the last is the registry itself. */
  List<Endpoint> endpoints(String registry) {
    Optional<List<Endpoint>> toml = HostsToml.read(config.hostsDirs(), registry, this);
    if (toml.isPresent()) {
      return toml.get();
    }
    Optional<RegistriesYaml> yaml = config.registriesYaml().flatMap(RegistriesYaml::read);
    var endpoints = new ArrayList<Endpoint>();
    yaml.ifPresent(file -> endpoints.addAll(file.mirrors(registry, this)));
    Endpoint own =
        plain(
            apiOf(registry),
            yaml.map(file -> file.tls(hostOfApi(registry), registry)).orElse(Tls.DEFAULT),
            yaml.flatMap(file -> file.credential(hostOfApi(registry), registry)));
    if (endpoints.stream().noneMatch(endpoint -> endpoint.api().equals(own.api()))) {
      endpoints.add(own);
    }
    return endpoints;
  }

  private static Endpoint plain(URI api, Tls tls, Optional<Credential> credential) {
    return new Endpoint(api, false, true, true, tls, Map.of(), List.of(), credential);
  }

  /** The distribution API of a registry by its name alone. */
  URI apiOf(String registry) {
    String host = hostOfApi(registry);
    return URI.create((isPlainHttp(host) ? "http://" : "https://") + host + "/v2/");
  }

  static String hostOfApi(String registry) {
    return registry.equals(Reference.DOCKER_HUB) ? "registry-1.docker.io" : registry;
  }

  /** Loopback registries, unless on the https port, and those configured so, speak plain HTTP. */
  boolean isPlainHttp(String host) {
    if (config.insecure().contains(host)) {
      return true;
    }
    int colon = host.lastIndexOf(':');
    boolean port = colon > 0 && !host.endsWith("]");
    String name = port ? host.substring(0, colon) : host;
    String number = port ? host.substring(colon + 1) : "";
    return HttpTransport.isLoopback(name) && !number.equals("443");
  }

  /** TLS settings of a host that we were sent to, where some are configured for it. */
  Optional<Tls> tlsOf(URI uri) {
    String host = Endpoint.hostOf(uri);
    return config
        .registriesYaml()
        .flatMap(RegistriesYaml::read)
        .map(file -> file.tls(host, host))
        .filter(tls -> !tls.equals(Tls.DEFAULT));
  }

  /**
   * The secret for an endpoint. What came with the pull is for the image's own registry, or for the
   * host that it names; a mirror gets only what is configured for it.
   */
  Credential credential(Endpoint endpoint, String registry, RegistryAuth auth) {
    Optional<Credential> given = Credential.of(auth);
    if (given.isPresent() && isFor(auth.serverAddress(), endpoint, registry)) {
      return given.get();
    }
    return endpoint
        .credential()
        .or(
            () ->
                DockerConfig.credential(
                    config.dockerConfig(), endpoint.host(), registry, endpoint.mirror()))
        .orElse(Credential.NONE);
  }

  private static boolean isFor(String serverAddress, Endpoint endpoint, String registry) {
    if (serverAddress.isEmpty()) {
      return !endpoint.mirror();
    }
    String named = canonical(serverAddress);
    return named.equals(canonical(endpoint.host()))
        || (!endpoint.mirror() && named.equals(canonical(registry)));
  }

  /** A registry's name without scheme, path and Docker Hub's aliases. */
  static String canonical(String address) {
    String host = address.toLowerCase(Locale.ROOT);
    int scheme = host.indexOf("://");
    host = scheme < 0 ? host : host.substring(scheme + 3);
    int slash = host.indexOf('/');
    host = slash < 0 ? host : host.substring(0, slash);
    return switch (host) {
      case "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com" ->
          Reference.DOCKER_HUB;
      default -> host;
    };
  }
}
