package io.jrt.image.store;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.Optional;
import javax.net.ssl.SSLContext;

/** Debian's docker-registry on a loopback port, with its storage below a test's directory. */
public final class TestRegistry implements AutoCloseable {
  private final Process process;
  private final Path log;
  private final int port;
  private final String authorization;
  private final HttpClient http;
  private final String scheme;

  /** Anybody may read and write. */
  public static TestRegistry open(Path directory) throws Exception {
    return new TestRegistry(directory, "", "");
  }

  /** Speaks TLS, and wants a certificate of the same authority from everybody. */
  public static TestRegistry mutualTls(Path directory, TestAuthority authority) throws Exception {
    authority.issue("registry.test").issue("pusher");
    String tls =
        """
        , tls: {certificate: %s, key: %s, clientcas: [%s]}\
        """
            .formatted(
                authority.file("registry.test.pem"),
                authority.file("registry.test.key"),
                authority.file("ca.pem"));
    return new TestRegistry(directory, "", "", tls, Optional.of(authority.context("pusher")));
  }

  /**
   * @param extra YAML below the top level, such as {@code auth:}
   * @param userAndPassword with which this object pushes; empty for none
   */
  public TestRegistry(Path directory, String extra, String userAndPassword) throws Exception {
    this(directory, extra, userAndPassword, "", Optional.empty());
  }

  private TestRegistry(
      Path directory, String extra, String userAndPassword, String tls, Optional<SSLContext> trust)
      throws Exception {
    scheme = trust.isPresent() ? "https://" : "http://";
    HttpClient.Builder builder = HttpClient.newBuilder();
    trust.ifPresent(builder::sslContext);
    http = builder.build();
    try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = socket.getLocalPort();
    }
    authorization =
        userAndPassword.isEmpty()
            ? ""
            : "Basic "
                + Base64.getEncoder()
                    .encodeToString(userAndPassword.getBytes(StandardCharsets.UTF_8));
    Files.createDirectories(directory);
    log = directory.resolve("registry.log");
    Path config =
        Files.writeString(
            directory.resolve("registry.yml"),
            """
            version: 0.1
            log: {level: error, accesslog: {disabled: false}}
            storage: {filesystem: {rootdirectory: %s}, delete: {enabled: true}}
            http: {addr: "127.0.0.1:%d"%s}
            %s
            """
                .formatted(directory.resolve("data"), port, tls, extra));
    process =
        new ProcessBuilder("docker-registry", "serve", config.toString())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    for (int i = 0; i < 200; i++) {
      try {
        http.send(
            HttpRequest.newBuilder(URI.create(scheme + host() + "/v2/")).build(),
            HttpResponse.BodyHandlers.discarding());
        return;
      } catch (IOException e) {
        Thread.sleep(50);
      }
    }
    close();
    throw new IOException("docker-registry does not start");
  }

  public String host() {
    return "127.0.0.1:" + port;
  }

  /** What it was asked, in Apache's format. */
  public String accessLog() throws IOException {
    return Files.readString(log);
  }

  public int port() {
    return port;
  }

  public void push(String repository, String tag, TestImage image) throws Exception {
    for (var blob : image.blobs().entrySet()) {
      pushBlob(repository, blob.getKey(), blob.getValue());
    }
    pushManifest(repository, tag, image.manifestType(), image.manifest());
  }

  public void pushBlob(String repository, String digest, byte[] content) throws Exception {
    HttpResponse<Void> begun =
        http.send(
            request("/v2/" + repository + "/blobs/uploads/")
                .POST(HttpRequest.BodyPublishers.noBody())
                .build(),
            HttpResponse.BodyHandlers.discarding());
    String location = begun.headers().firstValue("location").orElseThrow();
    URI upload =
        URI.create(scheme + host())
            .resolve(location + (location.contains("?") ? "&" : "?") + "digest=" + digest);
    HttpResponse<String> done =
        http.send(
            request(upload)
                .header("Content-Type", "application/octet-stream")
                .PUT(HttpRequest.BodyPublishers.ofByteArray(content))
                .build(),
            HttpResponse.BodyHandlers.ofString());
    if (done.statusCode() != 201) {
      throw new IOException("push of a blob: " + done.statusCode() + " " + done.body());
    }
  }

  public void pushManifest(String repository, String tag, String type, byte[] content)
      throws Exception {
    HttpResponse<String> done =
        http.send(
            request("/v2/" + repository + "/manifests/" + tag)
                .header("Content-Type", type)
                .PUT(HttpRequest.BodyPublishers.ofByteArray(content))
                .build(),
            HttpResponse.BodyHandlers.ofString());
    if (done.statusCode() != 201) {
      throw new IOException("push of a manifest: " + done.statusCode() + " " + done.body());
    }
  }

  private HttpRequest.Builder request(String path) {
    return request(URI.create(scheme + host() + path));
  }

  private HttpRequest.Builder request(URI uri) {
    HttpRequest.Builder builder = HttpRequest.newBuilder(uri).timeout(Duration.ofSeconds(30));
    return authorization.isEmpty() ? builder : builder.header("Authorization", authorization);
  }

  @Override
  public void close() {
    process.destroy();
    try {
      if (!process.waitFor(5, java.util.concurrent.TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
    http.close();
  }
}
