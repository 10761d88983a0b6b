package io.jrt.image.registry;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.image.ImageStoreConfig.Registries;
import io.jrt.image.Mutations;
import io.jrt.image.RegistryAuth;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files with typing errors: told as such, without the secrets in them. */
final class RegistryFilesFuzzTest {
  private static final String SECRET = "pr1vate-and-l0ng";

  @TempDir Path temp;

  private static final String YAML =
      """
      mirrors:
        docker.io:
          endpoint: ["https://m.example:5000/v2", "m2.example/some/path", "http://127.0.0.1:1"]
          rewrite: {"^library/(.*)": "proxy/$1", "(a)": "${1}b"}
        "*":
          endpoint:
            - "https://all.example"
      configs:
        "m.example:5000":
          auth: {username: u, password: pr1vate-and-l0ng}
          tls: {ca_file: /etc/ca.pem, cert_file: /c, key_file: /k, insecure_skip_verify: yes}
        "*":
          auth: {auth: dTpw}
      """;
  private static final String TOML =
      """
      server = "https://registry.example"
      ca = ["/etc/a.pem", "b.pem"]
      [host."https://m.example:5000/v2/x"]
      capabilities = ["pull", "resolve"]
      override_path = true
      skip_verify = false
      client = [["c.cert", "c.key"], "both.pem"]
      dial_timeout = "3s"
      [host."https://m.example:5000/v2/x".header]
      authorization = "Basic pr1vate-and-l0ng"
      x = ["1", "2"]
      """;
  private static final String JSON =
      """
      {"auths":{"https://index.docker.io/v1/":{"auth":"dTpwcjF2YXRlLWFuZC1sMG5n"},
       "r.example:5000":{"username":"u","password":"pr1vate-and-l0ng"},
       "x.example":{"identitytoken":"pr1vate-and-l0ng"}},
       "credHelpers":{"none.example":"absent"},"HttpHeaders":{"a":"b"}}
      """;

  private interface Reader {
    void read();
  }

  private void all(Path file, String good, Reader reader) throws Exception {
    Mutations mutations = Mutations.seeded();
    Files.createDirectories(file.getParent());
    Files.writeString(file, good);
    reader.read();
    byte[] bytes = good.getBytes(StandardCharsets.UTF_8);
    for (int round = 0; round < Mutations.rounds(800); round++) {
      byte[] bad = mutations.of(bytes);
      Files.write(file, bad);
      try {
        reader.read();
      } catch (JrtException e) {
        String text = new String(bad, StandardCharsets.UTF_8);
        assertThat(e.kind()).as(text).isIn(ErrorKind.INVALID, ErrorKind.UNAVAILABLE);
        assertThat(whole(e)).as(text).doesNotContain(SECRET);
      }
    }
  }

  private static String whole(Throwable e) {
    return e.getCause() == null ? e.toString() : e + " " + whole(e.getCause());
  }

  private static void use(RegistryHosts hosts, String registry) {
    for (Endpoint endpoint : hosts.endpoints(registry)) {
      assertThat(endpoint.api().toString()).endsWith("/");
      assertThat(endpoint.host()).isNotEmpty();
      assertThat(endpoint.uri("library/a", "manifests/1", registry).getHost()).isNotNull();
      var request = java.net.http.HttpRequest.newBuilder(endpoint.api());
      endpoint
          .headers()
          .forEach((name, values) -> request.setHeader(name, String.join(", ", values)));
      assertThat(hosts.credential(endpoint, registry, RegistryAuth.NONE).toString())
          .doesNotContain(SECRET);
    }
  }

  @Test
  void registriesYaml() throws Exception {
    Path file = temp.resolve("registries.yaml");
    RegistryHosts hosts =
        new RegistryHosts(
            new Registries(Optional.of(file), List.of(), Optional.empty(), List.of()));
    all(
        file,
        YAML,
        () -> {
          use(hosts, "docker.io");
          use(hosts, "other.example:99");
        });
  }

  @Test
  void hostsToml() throws Exception {
    RegistryHosts hosts =
        new RegistryHosts(
            new Registries(Optional.empty(), List.of(temp), Optional.empty(), List.of()));
    all(temp.resolve("docker.io/hosts.toml"), TOML, () -> use(hosts, "docker.io"));
  }

  @Test
  void dockerConfig() throws Exception {
    Path file = temp.resolve("config.json");
    RegistryHosts hosts =
        new RegistryHosts(
            new Registries(Optional.empty(), List.of(), Optional.of(file), List.of()));
    all(
        file,
        JSON,
        () -> {
          use(hosts, "docker.io");
          use(hosts, "r.example:5000");
          use(hosts, "x.example");
        });
  }

  @Test
  void challenges() {
    Mutations mutations = Mutations.seeded();
    String good =
        "Bearer realm=\"https://auth.example/token\",service=\"a, \\\"b\\\"\","
            + "scope=\"repository:x:pull\", Basic realm=\"r\"";
    for (int round = 0; round < Mutations.rounds(5_000); round++) {
      for (Challenge challenge : Challenge.parse(List.of(mutations.of(good)))) {
        assertThat(challenge.scheme()).isNotEmpty();
        assertThat(challenge.parameter("none")).isEmpty();
      }
    }
  }

  @Test
  void proxies() {
    Mutations mutations = Mutations.seeded();
    for (int round = 0; round < Mutations.rounds(2_000); round++) {
      var environment =
          Map.of(
              "HTTPS_PROXY",
              mutations.of("http://user:pr1vate-and-l0ng@proxy.example:3128/"),
              "NO_PROXY",
              mutations.of("localhost,.example.com,10.0.0.0/8,*"));
      try {
        Proxies.of(environment).select(java.net.URI.create("https://a.example.com/v2/"));
      } catch (JrtException e) {
        assertThat(e.kind()).isEqualTo(ErrorKind.INVALID);
        assertThat(whole(e)).doesNotContain(SECRET);
      }
    }
  }
}
