package io.jrt.image.registry;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.image.RegistryAuth;
import io.jrt.image.content.Json;
import io.jrt.image.registry.HttpTransport.Ask;
import io.jrt.image.registry.HttpTransport.Reply;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executors;
import tools.jackson.databind.JsonNode;

/** Harbor's management API (v2.0), as far as a node asks it: what is known of an artifact. */
public final class HarborApi {
  private static final String REPORTS =
      "application/vnd.security.vulnerability.report; version=1.1,"
          + " application/vnd.scanner.adapter.vuln.report.harbor+json; version=1.0";

  private final RegistryHosts hosts;
  private final HttpTransport transport;

  /**
   * @param hosts tells certificates and credentials of a registry
   * @param patience how long Harbor may say nothing
   */
  public HarborApi(RegistryHosts hosts, Proxies proxies, Duration patience) {
    this.hosts = hosts;
    this.transport =
        new HttpTransport(
            proxies,
            patience,
            Executors.newThreadPerTaskExecutor(
                Thread.ofVirtual().name("jrt-harbor-", 0).factory()));
  }

  /**
   * An artifact, and who asks for it.
   *
   * @param url of Harbor; empty when it is the registry
   * @param auth empty for what is configured for the registry
   */
  public record Artifact(
      String registry, String repository, String digest, String url, RegistryAuth auth) {}

  /**
   * The artifact with its scan overview.
   *
   * @return empty when Harbor does not have it
   * @throws JrtException UNAVAILABLE when Harbor does not say
   */
  public Optional<JsonNode> overview(Artifact artifact) {
    return get(artifact, "?with_scan_overview=true");
  }

  /** All that scanners found in it. */
  public Optional<JsonNode> vulnerabilities(Artifact artifact) {
    return get(artifact, "/additions/vulnerabilities");
  }

  private Optional<JsonNode> get(Artifact artifact, String tail) {
    int slash = artifact.repository().indexOf('/');
    if (slash < 0) {
      return Optional.empty();
    }
    Endpoint endpoint = hosts.endpoints(artifact.registry()).getLast();
    URI base = artifact.url().isEmpty() ? endpoint.api() : URI.create(artifact.url());
    // The API decodes once more than its web server does.
    String name = encoded(encoded(artifact.repository().substring(slash + 1)));
    URI uri =
        URI.create(
            base.getScheme()
                + "://"
                + base.getAuthority()
                + "/api/v2.0/projects/"
                + encoded(artifact.repository().substring(0, slash))
                + "/repositories/"
                + name
                + "/artifacts/"
                + artifact.digest()
                + tail);
    Map<String, String> headers = new HashMap<>();
    headers.put("Accept", "application/json");
    headers.put("X-Accept-Vulnerabilities", REPORTS);
    if (credential(artifact, endpoint) instanceof Credential.Basic basic) {
      headers.put("Authorization", basic.header());
    }
    String what = "harbor's answer for " + artifact.repository() + "@" + artifact.digest();
    try (Reply reply = transport.send(Ask.get(uri, headers), endpoint.tls(), hosts::tlsOf)) {
      if (reply.status() == 404) {
        return Optional.empty();
      }
      if (reply.status() != 200) {
        throw unavailable(base, "answers " + reply.status(), null);
      }
      return Optional.of(Json.object(what, reply.body().readNBytes(Json.MAX_DOCUMENT + 1)));
    } catch (IOException e) {
      throw unavailable(base, "does not answer", e);
    } catch (JrtException e) {
      throw e.kind() == ErrorKind.INVALID ? unavailable(base, e.getMessage() + "", e) : e;
    }
  }

  private Credential credential(Artifact artifact, Endpoint endpoint) {
    Optional<Credential> given = Credential.of(artifact.auth());
    // The registry's own secret is not for a Harbor at another address.
    return given.orElseGet(
        () ->
            artifact.url().isEmpty()
                ? hosts.credential(endpoint, artifact.registry(), RegistryAuth.NONE)
                : Credential.NONE);
  }

  private static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
  }

  private static JrtException unavailable(
      URI base, String why, @org.jspecify.annotations.Nullable Throwable cause) {
    return new JrtException(
        ErrorKind.UNAVAILABLE, "ask harbor", "harbor at " + base.getAuthority() + " " + why, cause);
  }
}
