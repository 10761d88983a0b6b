package io.jrt.it;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Debian's docker-registry on a loopback port, with its storage below a directory of its own. */
final class LocalRegistry implements AutoCloseable {
  private final Process process;
  private final int port;
  private final HttpClient http = HttpClient.newHttpClient();

  private LocalRegistry(Process process, int port) {
    this.process = process;
    this.port = port;
  }

  static LocalRegistry start(Path directory) throws IOException, InterruptedException {
    return start(directory, freePort());
  }

  static LocalRegistry start(Path directory, int port) throws IOException, InterruptedException {
    Path storage = Files.createDirectories(directory.resolve("storage"));
    Path config = directory.resolve("registry.yml");
    Files.writeString(
        config,
        """
        version: 0.1
        log: {level: error, accesslog: {disabled: true}}
        storage: {filesystem: {rootdirectory: %s}, delete: {enabled: true}}
        http: {addr: 127.0.0.1:%d}
        """
            .formatted(storage, port));
    Process process =
        new ProcessBuilder("docker-registry", "serve", config.toString())
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve("registry.log").toFile())
            .start();
    LocalRegistry registry = new LocalRegistry(process, port);
    long end = System.nanoTime() + Duration.ofSeconds(20).toNanos();
    while (!registry.answers()) {
      if (!process.isAlive() || System.nanoTime() > end) {
        registry.close();
        throw new IOException(
            "docker-registry does not answer: "
                + Files.readString(directory.resolve("registry.log")));
      }
      TimeUnit.MILLISECONDS.sleep(20);
    }
    return registry;
  }

  private boolean answers() {
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 200);
      return true;
    } catch (IOException e) {
      return false; // not yet
    }
  }

  static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  /** Host and port as they stand in an image's name. */
  String address() {
    return "127.0.0.1:" + port;
  }

  /** Pushes an image; the answer is the full reference. */
  String push(String repository, String tag, TestImage image) {
    for (Map.Entry<String, byte[]> blob : image.blobs().entrySet()) {
      pushBlob(repository, blob.getKey(), blob.getValue());
    }
    HttpRequest request =
        HttpRequest.newBuilder(uri("/v2/" + repository + "/manifests/" + tag))
            .header("Content-Type", TestImage.MANIFEST_TYPE)
            .PUT(HttpRequest.BodyPublishers.ofString(image.manifest()))
            .build();
    expect(send(request), 201);
    return address() + "/" + repository + ":" + tag;
  }

  private void pushBlob(String repository, String digest, byte[] bytes) {
    HttpRequest head =
        HttpRequest.newBuilder(uri("/v2/" + repository + "/blobs/" + digest))
            .method("HEAD", HttpRequest.BodyPublishers.noBody())
            .build();
    if (send(head).statusCode() == 200) {
      return;
    }
    HttpResponse<String> upload =
        send(
            HttpRequest.newBuilder(uri("/v2/" + repository + "/blobs/uploads/"))
                .POST(HttpRequest.BodyPublishers.noBody())
                .build());
    expect(upload, 202);
    URI location = uri("/").resolve(upload.headers().firstValue("Location").orElseThrow());
    String separator = location.getQuery() == null ? "?" : "&";
    HttpRequest put =
        HttpRequest.newBuilder(URI.create(location + separator + "digest=" + digest))
            .header("Content-Type", "application/octet-stream")
            .PUT(HttpRequest.BodyPublishers.ofByteArray(bytes))
            .build();
    expect(send(put), 201);
  }

  private URI uri(String path) {
    return URI.create("http://" + address() + path);
  }

  private HttpResponse<String> send(HttpRequest request) {
    try {
      return http.send(request, HttpResponse.BodyHandlers.ofString());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while pushing", e);
    }
  }

  private static void expect(HttpResponse<String> response, int status) {
    if (response.statusCode() != status) {
      throw new IllegalStateException(
          response.request().method()
              + " "
              + response.uri()
              + " answered "
              + response.statusCode()
              + ": "
              + response.body());
    }
  }

  @Override
  public void close() {
    http.close();
    process.destroyForcibly();
    try {
      process.waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
