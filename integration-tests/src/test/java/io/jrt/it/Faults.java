package io.jrt.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.jrt.cri.v1.ContainerState;
import io.jrt.cri.v1.NamespaceMode;
import io.jrt.cri.v1.PodSandboxConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;

/**
 * A daemon in trouble, and what all troubles have in common: what runs goes on, what is refused is
 * refused in words and leaves nothing, and when the trouble is over all is as ever.
 */
abstract class Faults {
  static final boolean FULL = System.getProperty("jrt.fault", "").equals("full");
  static final Duration SOON = Duration.ofSeconds(30);

  /** Of what is chosen at random; to be printed. */
  final long seed = Long.getLong("jrt.seed", System.nanoTime());

  private @Nullable Daemon running;
  private String image = "";

  @AfterEach
  final void end() throws IOException {
    Daemon ended = running;
    running = null;
    if (ended != null) {
      ended.close();
    }
  }

  /** The bundled image's reference, for more containers. */
  final String image() {
    return image;
  }

  /** Closed after the test. */
  final Daemon start(Path home, Map<String, String> environment) throws Exception {
    Daemon daemon = Daemon.start(home, Daemon.ownRange(), environment);
    running = daemon;
    image = daemon.bundledImage();
    return daemon;
  }

  final Daemon start() throws Exception {
    return start(Daemon.newHome(), Map.of());
  }

  static void command(String... words) throws Exception {
    Process process = new ProcessBuilder(words).inheritIO().start();
    assertThat(process.waitFor()).as(String.join(" ", words)).isZero();
  }

  /** A pod with a container that counts until it is asked to stop, and ends with 7 then. */
  record Counting(String pod, PodSandboxConfig config, String id, Path log) {}

  final Counting counting(Daemon daemon, String name) {
    Path logs = daemon.home().resolve("logs");
    PodSandboxConfig config = Cri.pod(name, NamespaceMode.POD, logs).build();
    String pod = daemon.cri().runPod(config);
    String script =
        "trap 'echo end; exit 7' TERM; i=0; while :; do echo line $i; i=$((i+1)); usleep 20000;"
            + " done";
    String id =
        daemon.cri().run(pod, config, Cri.container("c", image, "sh", "-c", script).build());
    Path log = logs.resolve(name).resolve("c.log");
    long end = System.nanoTime() + SOON.toNanos();
    while (length(log) == 0) { // before its first line it would not heed a stop
      assertThat(System.nanoTime()).as("a line in %s", log).isLessThan(end);
      Daemon.sleep(10);
    }
    return new Counting(pod, config, id, log);
  }

  private static long length(Path log) {
    try {
      return Files.size(log);
    } catch (IOException e) {
      return 0; // not there yet
    }
  }

  static void runs(Daemon daemon, Counting one) {
    assertThat(daemon.cri().status(one.id()).getState())
        .isEqualTo(ContainerState.CONTAINER_RUNNING);
  }

  static void ends(Daemon daemon, Counting one) {
    daemon.cri().stop(one.id(), 20);
    assertThat(daemon.cri().awaitExit(one.id()).getExitCode()).isEqualTo(7);
    daemon.cri().removePod(one.pod());
  }

  /** A call that may be refused, but in words, and not for ever. */
  static boolean refused(Runnable call) {
    try {
      call.run();
      return false;
    } catch (StatusRuntimeException e) {
      assertThat(e.getStatus().getCode())
          .as("%s", e.getMessage())
          .isIn(
              Status.Code.RESOURCE_EXHAUSTED,
              Status.Code.UNAVAILABLE,
              Status.Code.INTERNAL,
              Status.Code.FAILED_PRECONDITION);
      assertThat(e.getStatus().getDescription()).isNotBlank();
      System.out.println("refused: " + e.getStatus().getDescription());
      return true;
    }
  }

  static void isWhole(Daemon daemon) throws Exception {
    assertThat(Remains.besidesImages(daemon)).isEmpty();
    Daemon.Result check = daemon.jrt("check");
    assertThat(check.out()).contains("everything is as it should be");
  }
}
