package io.jrt.it;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import io.jrt.cri.v1.AuthConfig;
import io.jrt.cri.v1.ImageSpec;
import io.jrt.cri.v1.ImageStatusRequest;
import io.jrt.cri.v1.ImageStatusResponse;
import io.jrt.cri.v1.PullImageRequest;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Pulls of a whole daemon: seen while they run, gone on with after its death, refused by policy.
 */
final class PullIT {
  @TempDir Path temp;

  private static TestImage image() throws Exception {
    byte[] noise = new byte[6 << 20];
    new Random(11).nextBytes(noise);
    byte[] layer = new LayerBuilder().file("noise", 0644, noise).tar();
    return TestImage.of(
        Workloads.config(List.of("sh")),
        TestImage.Packing.GZIP,
        List.of(Workloads.busyboxLayer(), layer));
  }

  private static ImageStatusResponse status(Daemon daemon, String image) {
    return daemon
        .cri()
        .images()
        .imageStatus(
            ImageStatusRequest.newBuilder()
                .setImage(ImageSpec.newBuilder().setImage(image))
                .setVerbose(true)
                .build());
  }

  private static void await(String what, Daemon daemon, java.util.function.BooleanSupplier done)
      throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (!done.getAsBoolean()) {
      assertThat(System.nanoTime()).as(what + ": " + daemon.output()).isLessThan(end);
      Thread.sleep(20);
    }
  }

  @Test
  void aPullIsSeenAndGoesOnAfterTheDaemonsDeath() throws Exception {
    try (LocalRegistry registry = LocalRegistry.start(temp)) {
      String name = registry.push("slow/image", "1", image());
      try (Daemon daemon = Daemon.start("[images]\nbytes-per-second = \"1MiB\"\n")) {
        Thread pull =
            Thread.ofPlatform()
                .start(
                    () -> {
                      try {
                        daemon.cri().pull(name);
                      } catch (RuntimeException e) {
                        Thread.currentThread().interrupt(); // the daemon dies, as the test wants it
                      }
                    });
        await(
            "a layer on its way",
            daemon,
            () -> status(daemon, name).getInfoOrDefault("pull", "").contains("\"fetching\""));
        assertThat(status(daemon, name).hasImage()).isFalse();
        assertThat(daemon.jrt("pulls").ok()).contains(name).contains("fetching");
        Path ingest = daemon.home().resolve("root/images/ingest");
        await("a megabyte", daemon, () -> size(ingest) > 1 << 20);
        daemon.kill();
        pull.join();
        daemon.restart();
        daemon.cri().pull(name);
        assertThat(daemon.output()).contains("goes on at byte");
        assertThat(status(daemon, name).hasImage()).isTrue();
        assertThat(status(daemon, name).containsInfo("pull")).isFalse();
        assertThat(size(ingest)).isZero();
      }
    }
  }

  private static long size(Path directory) {
    try (var files = Files.list(directory)) {
      long size = 0;
      for (Path file : files.toList()) {
        size += Files.size(file);
      }
      return size;
    } catch (java.io.IOException e) {
      return 0;
    }
  }

  /** A cloud's registry: the node has a token that is good for tokens of a few minutes. */
  @Test
  void anIdentityTokenIsGoodForAPullThatTakesLongerThanItsTokens() throws Exception {
    String identity = "1dentity-n0body-else-sees";
    String access = "acce55-";
    InetAddress loopback = InetAddress.getLoopbackAddress();
    var issued = new AtomicInteger();
    var ended = new AtomicInteger();
    var served = new AtomicInteger();
    List<String> forms = new CopyOnWriteArrayList<>();
    TestImage image = image();
    String layer = List.copyOf(image.blobs().keySet()).get(1);
    byte[] bytes = Objects.requireNonNull(image.blobs().get(layer));
    try (var registry = new HostileRegistry(loopback);
        var tokens = new HostileRegistry(loopback);
        var storage = new HostileRegistry(loopback);
        Daemon daemon =
            Daemon.start(
                """
                [images]
                range-bytes = "1MiB"
                parallel-layers = 4
                [log]
                level = "debug"
                """)) {
      String reference = registry.push("cloud/app", image);
      tokens.answer(
          "/oauth2/token",
          exchange -> {
            String form = new String(exchange.getRequestBody().readAllBytes(), UTF_8);
            forms.add(exchange.getRequestMethod() + " " + exchange.getRequestURI() + " " + form);
            String answer =
                "{\"access_token\":\"%s%d\",\"expires_in\":300,\"refresh_token\":\"%snext\"}"
                    .formatted(access, issued.incrementAndGet(), identity);
            HostileRegistry.send(exchange, TestImage.utf8(answer));
          });
      registry.redirect(
          HostileRegistry.blob("cloud/app", layer), "http://" + storage.address() + "/signed");
      storage.answer("/signed", exchange -> sendRange(exchange, bytes));
      registry.require(
          exchange -> {
            if (exchange.getRequestURI().getPath().endsWith(layer)
                && served.incrementAndGet() == 3) {
              ended.set(1); // in the middle of the layer the token of before ends
            }
            String auth = exchange.getRequestHeaders().getFirst("Authorization");
            boolean good =
                auth != null
                    && auth.startsWith("Bearer " + access)
                    && Integer.parseInt(auth.substring(7 + access.length())) > ended.get();
            if (!good) {
              exchange
                  .getResponseHeaders()
                  .set(
                      "WWW-Authenticate",
                      "Bearer realm=\"http://%s/oauth2/token\",service=\"cloud\",scope=\"repository:cloud/app:pull\",error=\"invalid_token\""
                          .formatted(tokens.address()));
            }
            return good;
          });
      daemon
          .cri()
          .images()
          .pullImage(
              PullImageRequest.newBuilder()
                  .setImage(ImageSpec.newBuilder().setImage(reference))
                  .setAuth(AuthConfig.newBuilder().setIdentityToken(identity))
                  .build());
      assertThat(status(daemon, reference).hasImage()).isTrue();
      // One for the pull, and one, however many ranges were under way, when it had ended.
      assertThat(forms)
          .hasSize(2)
          .allSatisfy(
              form ->
                  assertThat(form)
                      .startsWith("POST /oauth2/token ")
                      .contains("grant_type=refresh_token")
                      .contains("refresh_token=" + identity)
                      .contains("scope=repository%3Acloud%2Fapp%3Apull"));
      assertThat(registry.seen())
          .anyMatch(line -> line.contains(layer) && line.endsWith(access + 1))
          .anyMatch(line -> line.contains(layer) && line.endsWith(access + 2))
          .noneMatch(line -> line.contains(identity));
      assertThat(tokens.seen()).allMatch(line -> line.endsWith("auth=null"));
      assertThat(storage.seen()).isNotEmpty().allMatch(line -> line.endsWith("auth=null"));
      assertThat(daemon.output()).doesNotContain(identity).doesNotContain(access);
      for (Path file : textsOf(daemon.home())) {
        assertThat(new String(Files.readAllBytes(file), ISO_8859_1))
            .as(file.toString())
            .doesNotContain(identity)
            .doesNotContain(access);
      }
    }
  }

  private static void sendRange(HttpExchange exchange, byte[] bytes) throws IOException {
    String[] range =
        exchange.getRequestHeaders().getFirst("Range").substring("bytes=".length()).split("-");
    int from = Integer.parseInt(range[0]);
    int last = Integer.parseInt(range[1]);
    exchange
        .getResponseHeaders()
        .set("Content-Range", "bytes %d-%d/%d".formatted(from, last, bytes.length));
    exchange.sendResponseHeaders(206, last - from + 1);
    exchange.getResponseBody().write(bytes, from, last - from + 1);
  }

  /** What a daemon wrote about its work: all but the images' own files. */
  private static List<Path> textsOf(Path home) throws IOException {
    try (var files = Files.walk(home)) {
      return files
          .filter(Files::isRegularFile)
          .filter(file -> !file.startsWith(home.resolve("root/images/layers")))
          .toList();
    }
  }

  @Test
  void whatThePolicyDeniesIsToldToTheCallerAndAsAnEvent() throws Exception {
    Files.writeString(
        temp.resolve("key.pub"),
        """
        -----BEGIN PUBLIC KEY-----
        MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt
        6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q==
        -----END PUBLIC KEY-----
        """);
    Path policy =
        Files.writeString(
            temp.resolve("policy.toml"),
            "[[signature]]\nimages = [\"127.0.0.1:*/signed/*\"]\nkeys = [\"key.pub\"]\n");
    try (LocalRegistry registry = LocalRegistry.start(temp.resolve("registry"));
        Daemon daemon = Daemon.start("[images]\npolicy-file = \"" + policy + "\"\n")) {
      String name = registry.push("signed/image", "1", image());
      assertThatThrownBy(() -> daemon.cri().pull(name))
          .hasMessageContaining("SignatureValidationFailed")
          .hasMessageContaining("has no signature");
      assertThat(daemon.jrt("events", "--no-follow").ok())
          .contains(name)
          .contains("has no signature");
      assertThat(
              daemon
                  .cri()
                  .images()
                  .listImages(io.jrt.cri.v1.ListImagesRequest.getDefaultInstance())
                  .getImagesList())
          .isEmpty();
    }
  }
}
