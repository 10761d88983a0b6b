package io.jrt.image.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.image.Digest;
import io.jrt.image.Image;
import io.jrt.image.ImageStore;
import io.jrt.image.ImageStoreConfig;
import io.jrt.image.PullListener;
import io.jrt.image.PullRequest;
import io.jrt.image.RegistryAuth;
import io.jrt.image.layer.Tars;
import io.jrt.linux.Kernel;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Date;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.crypto.generators.OpenBSDBCrypt;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A real registry behind every fault and guard that a node meets. */
final class RegistryFaultsIT {
  private static final Kernel KERNEL = Kernel.open();

  @TempDir Path temp;
  private TestRegistry registry;
  private FaultProxy proxy;
  private TestImage image;

  @BeforeEach
  void open() throws Exception {
    registry = TestRegistry.open(temp.resolve("registry"));
    proxy = new FaultProxy(registry.host());
    byte[] noise = new byte[3_000_000];
    new Random(1).nextBytes(noise);
    image = TestImage.of(new Tars().file("noise", noise, 0644).bytes());
    registry.push("a/b", "1", image);
  }

  @AfterEach
  void close() {
    proxy.close();
    registry.close();
  }

  private ImageStore store(ImageStoreConfig.Registries registries) {
    var defaults = ImageStoreConfig.Limits.DEFAULT;
    var limits =
        new ImageStoreConfig.Limits(
            defaults.parallelPulls(),
            defaults.parallelLayers(),
            defaults.rangeBytes(),
            0,
            Duration.ofSeconds(2),
            defaults.maxLayerBytes(),
            defaults.maxLayerEntries(),
            defaults.maxExpansion(),
            defaults.keepFree());
    return LocalImageStore.open(
        new ImageStoreConfig(temp.resolve("store"), registries, limits, List.of()), KERNEL);
  }

  private ImageStore store() {
    return store(ImageStoreConfig.Registries.NONE);
  }

  private Image pull(ImageStore store, RegistryAuth auth) {
    return store.pull(PullRequest.of(proxy.host() + "/a/b:1", auth), PullListener.NONE);
  }

  private static boolean isBlob(com.sun.net.httpserver.HttpExchange exchange) {
    return exchange.getRequestURI().getPath().contains("/blobs/");
  }

  @Test
  void aCutLayerGoesOnWhereItBroke() {
    var cuts = new AtomicInteger();
    proxy.fault(
        (exchange, answer) -> {
          var whole = answer.get();
          if (isBlob(exchange) && whole.body().length > 1_000_000 && cuts.getAndIncrement() < 2) {
            FaultProxy.cut(exchange, whole, 900_000);
          }
          return false;
        });
    try (ImageStore store = store()) {
      assertThat(pull(store, RegistryAuth.NONE).id()).isEqualTo(image.id());
    }
    assertThat(proxy.seen().stream().filter(line -> line.contains("range=bytes="))).isNotEmpty();
  }

  @Test
  void aLayerThatIsMissingOrOfAnUnknownCompressionIsNamed() throws Exception {
    String layer = Digest.sha256(image.layers().getFirst()).toString();
    proxy.fault(
        (exchange, answer) -> {
          boolean missing = exchange.getRequestURI().getPath().endsWith(layer);
          if (missing) {
            FaultProxy.status(exchange, 404);
          }
          return missing;
        });
    byte[] tar = new Tars().file("f", "x").bytes();
    TestImage other =
        TestImage.of("amd64", List.of(tar), List.of(Packed.by("bzip2", tar)), "+gzip");
    registry.push("a/c", "1", other);
    try (ImageStore store = store()) {
      assertThatThrownBy(() -> pull(store, RegistryAuth.NONE))
          .isInstanceOfSatisfying(
              JrtException.class,
              e -> {
                assertThat(e.kind()).isEqualTo(ErrorKind.NOT_FOUND);
                assertThat(e.step()).isEqualTo("ask registry");
              })
          .hasMessageContaining("layer " + layer)
          .hasMessageContaining("is not at " + proxy.host());
      assertThatThrownBy(
              () -> store.pull(PullRequest.of(proxy.host() + "/a/c:1"), PullListener.NONE))
          .isInstanceOfSatisfying(
              JrtException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.INVALID))
          .hasMessageContaining(Digest.sha256(other.layers().getFirst()).toString())
          .hasMessageContaining("bzip2");
      assertThat(store.list()).isEmpty();
    }
  }

  @Test
  void aStalledLayerIsAskedForAgain() {
    var stalls = new AtomicInteger();
    proxy.fault(
        (exchange, answer) -> {
          if (isBlob(exchange) && stalls.getAndIncrement() == 1) {
            exchange.sendResponseHeaders(200, 3_000_000);
            try {
              Thread.sleep(4_000);
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
            }
            return true;
          }
          return false;
        });
    try (ImageStore store = store()) {
      assertThat(pull(store, RegistryAuth.NONE).id()).isEqualTo(image.id());
    }
  }

  @Test
  void wrongBytesAreFetchedAgainOnceAndThenRefused() {
    var wrong = new AtomicInteger(1);
    proxy.fault(
        (exchange, answer) -> {
          var whole = answer.get();
          if (isBlob(exchange) && whole.body().length > 1_000_000 && wrong.getAndDecrement() > 0) {
            whole.body()[500_000] ^= 1;
            FaultProxy.send(exchange, whole);
            return true;
          }
          return false;
        });
    try (ImageStore store = store()) {
      assertThat(pull(store, RegistryAuth.NONE).id()).isEqualTo(image.id());
      assertThat(store.remove(image.id())).isTrue();
      wrong.set(1000);
      assertThatThrownBy(() -> pull(store, RegistryAuth.NONE))
          .isInstanceOfSatisfying(
              JrtException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.DATA_LOSS));
      assertThat(store.list()).isEmpty();
    }
  }

  @Test
  void busyAndFailingRegistriesAreAskedAgain() {
    var answers = new AtomicInteger();
    proxy.fault(
        (exchange, answer) -> {
          int number = answers.getAndIncrement();
          if (number % 3 == 2) {
            return false;
          }
          exchange.getResponseHeaders().set("Retry-After", "0");
          FaultProxy.status(exchange, number % 3 == 0 ? 503 : 429);
          return true;
        });
    try (ImageStore store = store()) {
      assertThat(pull(store, RegistryAuth.NONE).id()).isEqualTo(image.id());
    }
  }

  @Test
  void credentialsDoNotFollowARedirect() throws Exception {
    String secret =
        Base64.getEncoder().encodeToString("u:top-secret".getBytes(StandardCharsets.UTF_8));
    try (var other = new FaultProxy(registry.host())) {
      proxy.fault(
          (exchange, answer) -> {
            if (exchange.getRequestHeaders().getFirst("Authorization") == null) {
              exchange.getResponseHeaders().set("WWW-Authenticate", "Basic realm=\"r\"");
              FaultProxy.status(exchange, 401);
              return true;
            }
            if (isBlob(exchange)) {
              exchange
                  .getResponseHeaders()
                  .set(
                      "Location",
                      "http://127.0.0.1:"
                          + other.port()
                          + exchange.getRequestURI()
                          + "?signature=hidden");
              FaultProxy.status(exchange, 307);
              return true;
            }
            return false;
          });
      try (ImageStore store = store()) {
        assertThat(pull(store, RegistryAuth.basic("u", "top-secret")).id()).isEqualTo(image.id());
        assertThat(other.seen()).isNotEmpty().allMatch(line -> line.endsWith("auth=null"));
        assertThat(proxy.seen()).anyMatch(line -> line.contains(secret));
        other.fault(
            (exchange, answer) -> {
              FaultProxy.status(exchange, 403);
              return true;
            });
        store.remove(image.id());
        assertThatThrownBy(() -> pull(store, RegistryAuth.basic("u", "top-secret")))
            .hasMessageNotContaining("hidden")
            .hasMessageNotContaining("top-secret");
      }
    }
  }

  @Test
  void aTokenIsGotForTheScopeOfTheChallenge() {
    proxy.fault(
        (exchange, answer) -> {
          String path = exchange.getRequestURI().getPath();
          String auth = String.valueOf(exchange.getRequestHeaders().getFirst("Authorization"));
          if (path.equals("/token")) {
            String query = String.valueOf(exchange.getRequestURI().getRawQuery());
            boolean right =
                auth.startsWith("Basic ") && query.contains("scope=repository%3Aa%2Fb%3Apull");
            byte[] token = "{\"token\":\"t1\",\"expires_in\":300}".getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(right ? 200 : 401, token.length);
            exchange.getResponseBody().write(token);
            return true;
          }
          if (!auth.equals("Bearer t1")) {
            exchange
                .getResponseHeaders()
                .set(
                    "WWW-Authenticate",
                    "Bearer realm=\"http://"
                        + proxy.host()
                        + "/token\",service=\"s, quoted\",scope=\"repository:a/b:pull\"");
            FaultProxy.status(exchange, 401);
            return true;
          }
          return false;
        });
    try (ImageStore store = store()) {
      assertThat(pull(store, RegistryAuth.basic("robot$p+n", "s")).id()).isEqualTo(image.id());
      assertThat(proxy.seen().stream().filter(line -> line.contains("/token"))).hasSize(1);
      assertThatThrownBy(
              () -> store.pull(PullRequest.of(proxy.host() + "/a/b:none"), PullListener.NONE))
          .isInstanceOfSatisfying(
              JrtException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.UNAUTHENTICATED));
    }
  }

  @Test
  void aRegistryWithPasswords() throws Exception {
    byte[] salt = new byte[16];
    String line = "user:" + OpenBSDBCrypt.generate("2y", "pass".toCharArray(), salt, 5);
    Files.writeString(temp.resolve("htpasswd"), line + "\n");
    String auth = "auth: {htpasswd: {realm: r, path: " + temp.resolve("htpasswd") + "}}";
    try (var guarded = new TestRegistry(temp.resolve("guarded"), auth, "user:pass");
        ImageStore store = store()) {
      guarded.push("a/b", "1", image);
      String name = guarded.host() + "/a/b:1";
      assertThatThrownBy(() -> store.pull(PullRequest.of(name), PullListener.NONE))
          .isInstanceOfSatisfying(
              JrtException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.UNAUTHENTICATED));
      assertThatThrownBy(
              () ->
                  store.pull(
                      PullRequest.of(name, RegistryAuth.basic("user", "wrong-secret")),
                      PullListener.NONE))
          .hasMessageNotContaining("wrong-secret")
          .hasMessageContaining("refuses the credentials");
      assertThat(
              store
                  .pull(PullRequest.of(name, RegistryAuth.basic("user", "pass")), PullListener.NONE)
                  .id())
          .isEqualTo(image.id());
    }
  }

  @Test
  void aMirrorThatFailsIsPassedOver() throws Exception {
    Path yaml =
        Files.writeString(
            temp.resolve("registries.yaml"),
            """
            mirrors:
              example.test:
                endpoint: ["http://127.0.0.1:1", "http://%s"]
                rewrite: {"^x/(.*)": "a/$1"}
            """
                .formatted(proxy.host()));
    var registries =
        new ImageStoreConfig.Registries(Optional.of(yaml), List.of(), Optional.empty(), List.of());
    try (ImageStore store = store(registries)) {
      Image pulled = store.pull(PullRequest.of("example.test/x/b:1"), PullListener.NONE);
      assertThat(pulled.repoTags()).containsExactly("example.test/x/b:1");
      assertThat(proxy.seen()).allMatch(line -> line.contains("ns=example.test"));
    }
  }

  @Test
  void aPrivateAuthorityIsTrustedWhereConfigured() throws Exception {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
    generator.initialize(256);
    KeyPair keys = generator.generateKeyPair();
    X509Certificate certificate = certificate(keys);
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    store.setKeyEntry("k", keys.getPrivate(), new char[0], new X509Certificate[] {certificate});
    var managers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    managers.init(store, new char[0]);
    SSLContext tls = SSLContext.getInstance("TLS");
    tls.init(managers.getKeyManagers(), null, null);
    try (var secure = new FaultProxy(registry.host(), tls)) {
      String host = "127.0.0.1:" + secure.port();
      Path directory = Files.createDirectories(temp.resolve("certs.d").resolve(host));
      var registries =
          new ImageStoreConfig.Registries(
              Optional.empty(), List.of(temp.resolve("certs.d")), Optional.empty(), List.of());
      Files.writeString(directory.resolve("hosts.toml"), "server = \"https://" + host + "\"\n");
      try (ImageStore images = store(registries)) {
        PullRequest request = PullRequest.of(host + "/a/b:1");
        assertThatThrownBy(() -> images.pull(request, PullListener.NONE))
            .isInstanceOfSatisfying(
                JrtException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.UNAVAILABLE));
        Files.writeString(
            directory.resolve("ca.pem"),
            "-----BEGIN CERTIFICATE-----\n"
                + Base64.getMimeEncoder().encodeToString(certificate.getEncoded())
                + "\n-----END CERTIFICATE-----\n");
        Files.writeString(
            directory.resolve("hosts.toml"),
            "server = \"https://" + host + "\"\nca = \"ca.pem\"\n");
        assertThat(images.pull(request, PullListener.NONE).id()).isEqualTo(image.id());
      }
    }
  }

  private static X509Certificate certificate(KeyPair keys) throws Exception {
    var name = new X500Name("CN=test");
    var builder =
        new JcaX509v3CertificateBuilder(
            name,
            new BigInteger(64, new SecureRandom()),
            Date.from(Instant.now().minusSeconds(3600)),
            Date.from(Instant.now().plusSeconds(3600)),
            name,
            keys.getPublic());
    builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(true));
    builder.addExtension(
        Extension.subjectAlternativeName,
        false,
        new GeneralNames(new GeneralName(GeneralName.iPAddress, "127.0.0.1")));
    return new JcaX509CertificateConverter()
        .getCertificate(
            builder.build(new JcaContentSignerBuilder("SHA256withECDSA").build(keys.getPrivate())));
  }
}
