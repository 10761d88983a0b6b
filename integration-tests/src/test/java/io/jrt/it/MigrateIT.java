package io.jrt.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Images of a real containerd, where there is one: {@code containerd} and {@code ctr} on the PATH,
 * or in the directory that {@code JRT_IT_CONTAINERD} names.
 */
class MigrateIT {
  @TempDir private Path directory;
  private @Nullable Process containerd;

  @AfterEach
  void stop() throws InterruptedException {
    Process left = containerd;
    if (left != null) {
      left.destroy();
      left.waitFor(20, TimeUnit.SECONDS);
      left.destroyForcibly();
    }
  }

  private static Optional<Path> program(String name) {
    String path =
        Stream.of(System.getenv("JRT_IT_CONTAINERD"), System.getenv("PATH"))
            .filter(part -> part != null)
            .reduce("", (one, other) -> one + ":" + other);
    return Stream.of(path.split(":", -1))
        .filter(part -> !part.isEmpty())
        .map(part -> Path.of(part, name))
        .filter(Files::isExecutable)
        .findFirst();
  }

  @Test
  void imagesOfContainerdAreCarriedOverAndRun() throws Exception {
    Optional<Path> program = program("containerd");
    Optional<Path> ctr = program("ctr");
    assumeTrue(program.isPresent() && ctr.isPresent(), "there is no containerd here");
    Path socket = directory.resolve("c.sock");
    startContainerd(program.get(), socket);
    String client = ctr.get().toString();
    run(client, socket, "images", "import", "--no-unpack", Daemon.bundledArchive().toString());

    try (Daemon daemon = Daemon.start()) {
      String[] migrate = {
        "migrate", "containerd", "--ctr", client, "--address", socket.toString(),
      };
      assertThat(daemon.jrt(with(migrate, "--dry-run")).ok())
          .isEqualTo("localhost/jrt-busybox:latest\n");
      assertThat(daemon.jrt("images", "-q").ok()).isEmpty();

      assertThat(daemon.jrt(migrate).ok())
          .isEqualTo("localhost/jrt-busybox:latest  carried over\n");
      assertThat(
              daemon
                  .jrt("run", "--rm", "--network", "host", "localhost/jrt-busybox", "echo", "moved")
                  .ok())
          .isEqualTo("moved\n");
      assertThat(daemon.jrt(migrate).ok()).isEqualTo("localhost/jrt-busybox:latest  is here\n");
      Daemon.Result nobody =
          daemon.jrt("migrate", "containerd", "--ctr", client, "--address", "/nowhere.sock");
      assertThat(nobody.code()).isNotZero();
      daemon.jrt("rmi", "localhost/jrt-busybox:latest").ok();
    }
  }

  private static String[] with(String[] words, String more) {
    return Stream.concat(Stream.of(words), Stream.of(more)).toArray(String[]::new);
  }

  private void startContainerd(Path program, Path socket) throws IOException {
    Path config = directory.resolve("containerd.toml");
    Files.writeString(
        config,
        """
        version = 3
        root = "%1$s/root"
        state = "%1$s/state"
        disabled_plugins = ["io.containerd.cri.v1.runtime", "io.containerd.cri.v1.images", "io.containerd.grpc.v1.cri"]
        [grpc]
          address = "%2$s"
        [ttrpc]
          address = "%2$s.ttrpc"
        """
            .formatted(directory, socket));
    containerd =
        new ProcessBuilder(program.toString(), "--config", config.toString())
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve("containerd.log").toFile())
            .start();
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (!Files.exists(socket) && System.nanoTime() < end) {
      Daemon.sleep(50);
    }
    assertThat(socket).exists();
  }

  private static void run(String ctr, Path socket, String... words)
      throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                Stream.concat(
                        Stream.of(ctr, "--address", socket.toString(), "--namespace", "k8s.io"),
                        Stream.of(words))
                    .toList())
            .redirectErrorStream(true)
            .start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(out).isZero();
  }
}
