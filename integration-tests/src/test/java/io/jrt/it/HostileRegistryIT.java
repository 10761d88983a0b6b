package io.jrt.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.StatusRuntimeException;
import io.jrt.cri.v1.AuthConfig;
import io.jrt.cri.v1.ImageSpec;
import io.jrt.cri.v1.ListImagesRequest;
import io.jrt.cri.v1.NamespaceMode;
import io.jrt.cri.v1.PodSandboxConfig;
import io.jrt.cri.v1.PullImageRequest;
import io.jrt.it.TestImage.Packing;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Known classes of vulnerabilities that come with a pull, through the CRI socket of a whole daemon.
 * The registry has an address of the node that is not loopback; what must stay unasked listens on
 * loopback.
 */
class HostileRegistryIT {
  private static final String PASSWORD = "correct-horse-battery";
  private static final String SIGNATURE = "0badc0de5ec2e7";
  private static final long LARGEST_LAYER = 64 << 20;

  @TempDir private static Path directory;
  private static Daemon daemon;
  private static HostileRegistry registry;
  private static HostileRegistry inside;

  @BeforeAll
  static void start() throws IOException, InterruptedException {
    long number = ProcessHandle.current().pid();
    String gateway = "10.%d.%d.1".formatted(128 + number / 256 % 64, number % 256);
    Path hosts = Files.createDirectory(directory.resolve("hosts"));
    daemon =
        Daemon.start(
            """
            [images]
            hosts-dirs = ["%s"]
            max-layer-size = "%d"
            """
                    .formatted(hosts, LARGEST_LAYER)
                + Daemon.ownRange());
    // The node has the bridge's address from its first pod on.
    PodSandboxConfig pod =
        Cri.pod("first", NamespaceMode.POD, daemon.home().resolve("logs")).build();
    daemon.cri().removePod(daemon.cri().runPod(pod));
    registry = new HostileRegistry(InetAddress.getByName(gateway));
    inside = new HostileRegistry(InetAddress.getLoopbackAddress());
    Files.writeString(
        Files.createDirectory(hosts.resolve(registry.address())).resolve("hosts.toml"),
        "server = \"http://" + registry.address() + "\"\n");
  }

  @AfterAll
  static void stop() throws IOException {
    registry.close();
    inside.close();
    daemon.close();
  }

  @AfterEach
  void nothingCameIn() {
    assertThat(
            daemon
                .cri()
                .images()
                .listImages(ListImagesRequest.getDefaultInstance())
                .getImagesList())
        .isEmpty();
    assertThat(inside.seen()).as("what only the node reaches was asked").isEmpty();
  }

  private static TestImage image(String content) {
    return TestImage.of(
        Map.of("Cmd", List.of("/x")),
        Packing.GZIP,
        List.of(new LayerBuilder().file("x", 0755, content).tar()));
  }

  private static String layerOf(TestImage image) {
    return image.blobs().keySet().iterator().next();
  }

  private static String refusal(String reference) {
    return refusal(reference, AuthConfig.getDefaultInstance());
  }

  private static String refusal(String reference, AuthConfig auth) {
    try {
      daemon
          .cri()
          .images()
          .pullImage(
              PullImageRequest.newBuilder()
                  .setImage(ImageSpec.newBuilder().setImage(reference))
                  .setAuth(auth)
                  .build());
    } catch (StatusRuntimeException refused) {
      return String.valueOf(refused.getStatus().getDescription());
    }
    throw new AssertionError(reference + " was pulled");
  }

  @Test
  void ssrf_redirectsAndTokenServersAreNotWhatOnlyTheNodeReaches() {
    int n = 0;
    for (String target :
        List.of(
            "http://" + inside.address() + "/latest",
            "http://localhost:" + inside.address().replaceFirst(".*:", "") + "/latest",
            "http://[::ffff:127.0.0.1]:" + inside.address().replaceFirst(".*:", "") + "/latest",
            "http://169.254.169.254/latest/meta-data",
            "http://[fe80::1]/latest",
            "http://0.0.0.0:" + inside.address().replaceFirst(".*:", "") + "/latest",
            "file:///etc/shadow")) {
      n++;
      TestImage image = image(target);
      String byRedirect = registry.push("ssrf/redirect" + n, image);
      registry.redirect(HostileRegistry.blob("ssrf/redirect" + n, layerOf(image)), target);
      assertThat(refusal(byRedirect))
          .as(target)
          .containsAnyOf("which only this node reaches", "which is no web address");

      registry.answer(
          "/v2/ssrf/realm" + n + "/manifests/1",
          exchange -> {
            exchange
                .getResponseHeaders()
                .set("WWW-Authenticate", "Bearer realm=\"" + target + "\",service=\"s\"");
            exchange.sendResponseHeaders(401, -1);
          });
      assertThat(refusal(registry.address() + "/ssrf/realm" + n + ":1"))
          .as(target)
          .containsAnyOf("which only this node reaches", "which is no web address");
    }
  }

  @Test
  void cve202015157_urlsOfALayerAreNotAsked() {
    TestImage image = image("elsewhere");
    String layer = layerOf(image);
    String name = "foreign/urls";
    registry.push(name, image);
    String manifest =
        image
            .manifest()
            .replace(
                "\"digest\":\"" + layer + "\"",
                "\"digest\":\""
                    + layer
                    + "\",\"urls\":[\"http://"
                    + inside.address()
                    + "/layer\"]");
    assertThat(manifest).contains("urls");
    registry.answer(
        HostileRegistry.blob(name, layer), exchange -> exchange.sendResponseHeaders(404, -1));
    assertThat(
            refusal(
                registry.manifest(name, TestImage.MANIFEST_TYPE, TestImage.utf8(manifest)),
                AuthConfig.newBuilder().setUsername("u").setPassword(PASSWORD).build()))
        .contains("is not at " + registry.address());
    assertThat(registry.seen())
        .anyMatch(line -> line.startsWith(HostileRegistry.blob(name, layer)));
  }

  @Test
  void secretsAreToldNeitherToOtherHostsNorInErrorsAndLogs() throws IOException {
    try (HostileRegistry other = new HostileRegistry(registryHost())) {
      TestImage image = image("secret");
      String name = "secret/app";
      String reference = registry.push(name, image);
      String basic =
          Base64.getEncoder().encodeToString(("u:" + PASSWORD).getBytes(StandardCharsets.UTF_8));
      registry.requireBasic("/v2/secret/app/manifests/1");
      String signed = "/signed?X-Amz-Signature=" + SIGNATURE;
      registry.redirect(
          HostileRegistry.blob(name, layerOf(image)), "http://" + other.address() + signed);
      other.answer("/signed", exchange -> exchange.sendResponseHeaders(403, -1));

      String said =
          refusal(
              reference, AuthConfig.newBuilder().setUsername("u").setPassword(PASSWORD).build());
      assertThat(registry.seen()).anyMatch(line -> line.endsWith("auth=Basic " + basic));
      assertThat(other.seen()).isNotEmpty().allMatch(line -> line.endsWith("auth=null"));
      for (String text : List.of(said, daemon.output())) {
        assertThat(text).doesNotContain(PASSWORD).doesNotContain(basic).doesNotContain(SIGNATURE);
      }
    }
  }

  private static InetAddress registryHost() throws IOException {
    return InetAddress.getByName(registry.address().replaceFirst(":.*", ""));
  }

  @Test
  void cve202141190_documentsThatAreTwoThingsAreRefused() {
    TestImage image = image("confused");
    String index = "application/vnd.oci.image.index.v1+json";
    String honest = image.manifest();
    Map<String, String> documents = new LinkedHashMap<>();
    documents.put("both", honest.replaceFirst("\\{", "{\"manifests\":[],"));
    documents.put("twice", honest.replaceFirst("\\{", "{\"layers\":[],"));
    documents.put("othertype", honest.replace(TestImage.MANIFEST_TYPE, index));
    documents.put("othersize", honest.replaceFirst("\"size\":\\d+", "\"size\":1"));
    documents.put("negative", honest.replaceFirst("\"size\":\\d+", "\"size\":-1"));
    documents.put("trailing", honest + "{}");
    documents.forEach(
        (name, text) -> {
          registry.push("confused/" + name, image);
          String reference =
              registry.manifest("confused/" + name, TestImage.MANIFEST_TYPE, TestImage.utf8(text));
          assertThat(text).as(name).isNotEqualTo(honest);
          assertThat(refusal(reference)).as(name).isNotEmpty();
        });
    // Served as what it says it is not.
    registry.push("confused/served", image);
    assertThat(refusal(registry.manifest("confused/served", index, TestImage.utf8(honest))))
        .contains("was served as");
    // Asked for by one digest, answered with another's bytes.
    registry.push("confused/digest", image);
    String wanted = "sha256:" + "0".repeat(64);
    registry.answer(
        "/v2/confused/digest/manifests/" + wanted,
        exchange -> {
          exchange.getResponseHeaders().set("Content-Type", TestImage.MANIFEST_TYPE);
          exchange.getResponseHeaders().set("Docker-Content-Digest", wanted);
          HostileRegistry.send(exchange, TestImage.utf8(honest));
        });
    assertThat(refusal(registry.address() + "/confused/digest@" + wanted)).contains(wanted);
  }

  @Test
  void cve202325153_bombsEndEarlyAndLeaveTheirSpace() throws Exception {
    byte[] bomb = bomb();
    String layer = TestImage.digest(bomb);
    TestImage honest = image("bomb");
    String manifest =
        honest
            .manifest()
            .replace(layerOf(honest), layer)
            .replaceFirst("(\"digest\":\"" + layer + "\"[^}]*\"size\":)\\d+", "$1" + bomb.length);
    String name = "bomb/zeros";
    registry.push(name, honest);
    registry.answer(HostileRegistry.blob(name, layer), bomb);
    String reference = registry.manifest(name, TestImage.MANIFEST_TYPE, TestImage.utf8(manifest));
    refusal(registry.address() + "/bomb/none:1");
    long resident = resident();
    assertThat(refusal(reference)).contains("grows above the limit");

    // The same as an archive.
    Path archive = directory.resolve("bomb.tar");
    Files.write(archive, archive(manifest, honest, bomb));
    assertThat(daemon.jrt("image", "import", archive.toString()).err())
        .contains("grows above the limit");

    // A document without an end, and one without a floor.
    registry.answer(
        "/v2/bomb/endless/manifests/1",
        exchange -> {
          exchange.getResponseHeaders().set("Content-Type", TestImage.MANIFEST_TYPE);
          exchange.sendResponseHeaders(200, 0);
          byte[] spaces = " ".repeat(1 << 20).getBytes(StandardCharsets.US_ASCII);
          try {
            for (int i = 0; i < 100; i++) {
              exchange.getResponseBody().write(spaces);
            }
          } catch (IOException hungUp) {
            registry.seen().add("hung up: " + hungUp.getMessage());
          }
        });
    assertThat(refusal(registry.address() + "/bomb/endless:1")).contains("larger than");
    String deep = "{\"a\":".repeat(100_000) + "1" + "}".repeat(100_000);
    assertThat(
            refusal(registry.manifest("bomb/deep", TestImage.MANIFEST_TYPE, TestImage.utf8(deep))))
        .contains("cannot be read");

    assertThat(resident() - resident).as("memory").isLessThan(128 << 20);
    assertThat(stored()).as("bytes on disk").isLessThan(16 << 20);
  }

  /** Ten gigabytes of zeros in about ten megabytes. */
  private static byte[] bomb() throws IOException {
    byte[] head = new byte[512];
    System.arraycopy("zeros".getBytes(StandardCharsets.US_ASCII), 0, head, 0, 5);
    text(head, 100, "0000644\0");
    text(head, 124, "%011o\0".formatted((8L << 30) - 1));
    head[156] = '0';
    text(head, 257, "ustar\00000");
    text(head, 148, "        ");
    int sum = 0;
    for (byte one : head) {
      sum += one & 0xff;
    }
    text(head, 148, "%06o\0 ".formatted(sum));
    byte[] zeros = gzip(new byte[16 << 20]);
    ByteArrayOutputStream bomb = new ByteArrayOutputStream();
    bomb.write(gzip(head));
    for (int i = 0; i < 640; i++) {
      bomb.write(zeros);
    }
    return bomb.toByteArray();
  }

  private static void text(byte[] into, int at, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(bytes, 0, into, at, bytes.length);
  }

  private static byte[] gzip(byte[] bytes) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
      gzip.write(bytes);
    }
    return out.toByteArray();
  }

  /** An OCI layout. */
  private static byte[] archive(String manifest, TestImage image, byte[] layer) {
    LayerBuilder tar = new LayerBuilder();
    byte[] bytes = TestImage.utf8(manifest);
    tar.file("oci-layout", 0644, "{\"imageLayoutVersion\":\"1.0.0\"}");
    tar.file(
        "index.json",
        0644,
        """
        {"schemaVersion":2,"manifests":[{"mediaType":"%s","digest":"%s","size":%d,\
        "annotations":{"org.opencontainers.image.ref.name":"localhost/bomb:1"}}]}\
        """
            .formatted(TestImage.MANIFEST_TYPE, TestImage.digest(bytes), bytes.length));
    image.blobs().forEach((digest, blob) -> tar.file(inLayout(digest), 0644, blob));
    tar.file(inLayout(TestImage.digest(bytes)), 0644, bytes);
    tar.file(inLayout(TestImage.digest(layer)), 0644, layer);
    return tar.tar();
  }

  private static String inLayout(String digest) {
    return "blobs/" + digest.replace(':', '/');
  }

  private static long resident() throws IOException {
    return Files.readAllLines(Path.of("/proc/" + daemon.pid() + "/status")).stream()
        .filter(line -> line.startsWith("VmRSS:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
        .findFirst()
        .orElseThrow();
  }

  private static long stored() throws IOException {
    try (Stream<Path> files = Files.walk(daemon.home().resolve("root/images"))) {
      return files.filter(Files::isRegularFile).mapToLong(file -> file.toFile().length()).sum();
    }
  }

  @Test
  void cve202132760_layersReachNothingOutside() throws IOException {
    Path sentinel = Files.createDirectory(daemon.home().resolve("sentinel"));
    String up = "../".repeat(30) + sentinel.toString().substring(1);
    Map<String, LayerBuilder> layers = new LinkedHashMap<>();
    layers.put("dots", new LayerBuilder().file(up + "/x", 0644, "x"));
    layers.put("link", new LayerBuilder().symlink("l", sentinel.toString()).file("l/x", 0644, "x"));
    layers.put("uplink", new LayerBuilder().symlink("l", up).directory("l/x", 0755));
    layers.put("hard", new LayerBuilder().hardLink("shadow", "../".repeat(30) + "etc/shadow"));
    layers.put("whiteout", new LayerBuilder().symlink("l", up).file("l/.wh.y", 0644, ""));
    layers.put("opaque", new LayerBuilder().symlink("l", up).file("l/.wh..wh..opq", 0644, ""));
    Files.writeString(sentinel.resolve("y"), "y");
    layers.forEach(
        (name, layer) -> {
          String reference =
              registry.push(
                  "tar/" + name,
                  TestImage.of(Map.of("Cmd", List.of("/x")), Packing.GZIP, List.of(layer.tar())));
          try {
            daemon.cri().pull(reference);
            daemon.jrt("rmi", reference).ok();
          } catch (StatusRuntimeException refused) {
            assertThat(refused.getStatus().getDescription()).as(name).isNotEmpty();
          } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
          }
        });
    try (Stream<Path> files = Files.list(sentinel)) {
      assertThat(files).containsExactly(sentinel.resolve("y"));
    }
    assertThatThrownBy(() -> daemon.cri().pull(registry.address() + "/tar/none:1"))
        .isInstanceOf(StatusRuntimeException.class);
  }
}
