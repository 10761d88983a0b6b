package io.jrt.image.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.image.Digest;
import io.jrt.image.ImageStoreConfig.Registries;
import io.jrt.image.Reference;
import io.jrt.image.RegistryAuth;
import io.jrt.image.content.Descriptor;
import io.jrt.image.content.Document;
import io.jrt.image.layer.Tars;
import io.jrt.image.store.TestAuthority;
import io.jrt.image.store.TestImage;
import io.jrt.image.store.TestProxy;
import io.jrt.image.store.TestRegistry;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.bouncycastle.crypto.generators.OpenBSDBCrypt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How a registry is reached: client certificates, HTTP/2, proxies, credential helpers. */
final class RegistryRoadsIT {
  @TempDir Path temp;

  private static TestImage image() {
    byte[] noise = new byte[2_000_000];
    new Random(3).nextBytes(noise);
    return TestImage.of(new Tars().file("noise", noise, 0644).bytes());
  }

  private static RegistryClient client(Registries registries, Map<String, String> environment) {
    return new RegistryClient(
        new RegistryHosts(registries), Proxies.of(environment), Duration.ofSeconds(5));
  }

  private static void requireWhole(RegistryClient client, String name, TestImage image)
      throws Exception {
    RegistrySession session = client.session(Reference.parse(name), RegistryAuth.NONE);
    Served served = session.document();
    assertThat(served.digest()).isEqualTo(Digest.sha256(image.manifest()));
    Document.Manifest manifest = (Document.Manifest) served.document();
    try (InputStream layer = session.open(manifest.layers().getFirst(), 0)) {
      assertThat(layer.readAllBytes()).isEqualTo(image.layers().getFirst());
    }
  }

  private static void requireRange(RegistryClient client, String name, TestImage image)
      throws Exception {
    RegistrySession session = client.session(Reference.parse(name), RegistryAuth.NONE);
    byte[] layer = image.layers().getFirst();
    var descriptor = Descriptor.of("", Digest.sha256(layer), layer.length);
    try (ResumingStream range = session.ranges(descriptor).open(500, 1500)) {
      assertThat(range.isInRanges()).isTrue();
      assertThat(range.readAllBytes()).isEqualTo(Arrays.copyOfRange(layer, 500, 1500));
    }
  }

  private Registries certificates(String host, String toml) throws Exception {
    Path directory = Files.createDirectories(temp.resolve("certs.d").resolve(host));
    Files.writeString(directory.resolve("hosts.toml"), toml);
    return new Registries(
        Optional.empty(), List.of(temp.resolve("certs.d")), Optional.empty(), List.of());
  }

  @Test
  void aRegistryWithClientCertificatesIsAskedByHttp2() throws Exception {
    var authority = new TestAuthority(temp.resolve("ca"));
    TestImage image = image();
    try (var registry = TestRegistry.mutualTls(temp.resolve("registry"), authority)) {
      registry.push("a/b", "1", image);
      authority.issue("node");
      String host = registry.host();
      String server =
          "server = \"https://" + host + "\"\nca = \"" + authority.file("ca.pem") + "\"\n";
      try (var client = client(certificates(host, server), Map.of())) {
        assertThatThrownBy(() -> requireWhole(client, host + "/a/b:1", image))
            .isInstanceOfSatisfying(
                JrtException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.UNAVAILABLE));
        String pair =
            "client = [[\""
                + authority.file("node.pem")
                + "\", \""
                + authority.file("node.key")
                + "\"]]\n";
        certificates(host, server + pair);
        requireWhole(client, host + "/a/b:1", image);
        requireRange(client, host + "/a/b:1", image);
      }
      String blob = "\"GET /v2/a/b/blobs/" + Digest.sha256(image.layers().getFirst());
      assertThat(registry.accessLog())
          .contains(blob + " HTTP/2.0\" 200 ")
          // A connection of its own.
          .contains(blob + " HTTP/1.1\" 206 1000 ");
    }
  }

  @Test
  void aProxyThatWantsAPasswordIsGoneThroughForHttp() throws Exception {
    TestImage image = image();
    try (var registry = TestRegistry.open(temp.resolve("registry"));
        var proxy = new TestProxy(registry.port(), "me:p@ss")) {
      registry.push("a/b", "1", image);
      var registries =
          new Registries(
              Optional.empty(), List.of(), Optional.empty(), List.of("registry.test:80"));
      String address = "127.0.0.1:" + proxy.port();
      try (var client = client(registries, Map.of("HTTP_PROXY", "http://me:p%40ss@" + address))) {
        requireWhole(client, "registry.test:80/a/b:1", image);
      }
      assertThat(proxy.seen())
          .anyMatch(line -> line.startsWith("GET http://registry.test:80/v2/a/b/manifests/1"))
          .noneMatch(line -> line.startsWith("refused"));
      try (var client = client(registries, Map.of("http_proxy", address))) {
        assertThatThrownBy(() -> requireWhole(client, "registry.test:80/a/b:1", image))
            .hasMessageContaining("407");
      }
      var nowhere = Map.of("HTTP_PROXY", address, "NO_PROXY", ".test");
      try (var client = client(registries, nowhere)) {
        int before = proxy.seen().size();
        assertThatThrownBy(() -> requireWhole(client, "registry.test:80/a/b:1", image))
            .isInstanceOfSatisfying(
                JrtException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.UNAVAILABLE));
        assertThat(proxy.seen()).hasSize(before);
      }
    }
  }

  @Test
  void aProxyThatWantsAPasswordIsGoneThroughForHttps() throws Exception {
    var authority = new TestAuthority(temp.resolve("ca"));
    TestImage image = image();
    try (var registry = TestRegistry.mutualTls(temp.resolve("registry"), authority);
        var proxy = new TestProxy(registry.port(), "me:p@ss")) {
      registry.push("a/b", "1", image);
      authority.issue("node");
      Registries registries =
          certificates(
              "registry.test:443",
              """
              server = "https://registry.test:443"
              ca = "%s"
              client = [["%s", "%s"]]
              """
                  .formatted(
                      authority.file("ca.pem"),
                      authority.file("node.pem"),
                      authority.file("node.key")));
      String address = "http://me:p%40ss@127.0.0.1:" + proxy.port();
      try (var client = client(registries, Map.of("https_proxy", address))) {
        requireWhole(client, "registry.test:443/a/b:1", image);
      }
      assertThat(proxy.seen())
          .contains("CONNECT registry.test:443 HTTP/1.1")
          .noneMatch(line -> line.startsWith("refused"));
    }
  }

  @Test
  void aCredentialHelperIsAskedForTheRegistry() throws Exception {
    TestImage image = image();
    String line = "user:" + OpenBSDBCrypt.generate("2y", "pass".toCharArray(), new byte[16], 5);
    Files.writeString(temp.resolve("htpasswd"), line + "\n");
    String auth = "auth: {htpasswd: {realm: r, path: " + temp.resolve("htpasswd") + "}}";
    String name = "jrt-test-" + ProcessHandle.current().pid();
    Path helper = Path.of("/usr/local/bin/docker-credential-" + name);
    try (var registry = new TestRegistry(temp.resolve("guarded"), auth, "user:pass")) {
      registry.push("a/b", "1", image);
      Files.createFile(
          helper,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
      Files.writeString(
          helper,
          """
          #!/bin/sh
          read -r server
          [ "$1" = get ] && [ "$server" = "%s" ] || { echo "credentials not found"; exit 1; }
          echo '{"ServerURL":"x","Username":"user","Secret":"pass"}'
          """
              .formatted(registry.host()));
      for (String config :
          List.of(
              "{\"credHelpers\":{\"" + registry.host() + "\":\"" + name + "\"}}",
              "{\"credsStore\":\"" + name + "\"}",
              "{\"auths\":{\"" + registry.host() + "\":{}},\"credsStore\":\"" + name + "\"}")) {
        Path file = Files.writeString(temp.resolve("config.json"), config);
        var registries = new Registries(Optional.empty(), List.of(), Optional.of(file), List.of());
        try (var client = client(registries, Map.of())) {
          requireWhole(client, registry.host() + "/a/b:1", image);
        }
      }
      Path file = Files.writeString(temp.resolve("config.json"), "{\"credsStore\":\"jrt-absent\"}");
      var registries = new Registries(Optional.empty(), List.of(), Optional.of(file), List.of());
      try (var client = client(registries, Map.of())) {
        assertThatThrownBy(() -> requireWhole(client, registry.host() + "/a/b:1", image))
            .hasMessageContaining("docker-credential-jrt-absent");
      }
    } finally {
      Files.deleteIfExists(helper);
    }
  }
}
