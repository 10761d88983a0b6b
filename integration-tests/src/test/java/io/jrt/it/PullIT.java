package io.jrt.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrt.cri.v1.ImageSpec;
import io.jrt.cri.v1.ImageStatusRequest;
import io.jrt.cri.v1.ImageStatusResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
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
