package io.jrt.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrt.cri.v1.NamespaceMode;
import io.jrt.cri.v1.PodSandboxConfig;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What Prometheus and people at a terminal see of a daemon at work. */
class MetricsIT {
  private static final Path PROMTOOL =
      Path.of(Optional.ofNullable(System.getenv("PROMTOOL")).orElse("/usr/bin/promtool"));

  private static String get(Path socket, String path) throws Exception {
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      channel.connect(UnixDomainSocketAddress.of(socket));
      channel.write(
          ByteBuffer.wrap(
              ("GET " + path + " HTTP/1.1\r\nHost: jrt\r\n\r\n")
                  .getBytes(StandardCharsets.US_ASCII)));
      return new String(Channels.newInputStream(channel).readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  @Test
  void prometheusCanReadWhatIsCounted(@TempDir Path directory) throws Exception {
    Path socket = directory.resolve("metrics.sock");
    try (Daemon daemon = Daemon.start("metrics.address = 'unix:" + socket + "'\n")) {
      Cri cri = daemon.cri();
      String image = daemon.bundledImage();
      PodSandboxConfig pod =
          Cri.pod("seen", NamespaceMode.NODE, daemon.home().resolve("logs")).build();
      String podId = cri.runPod(pod);
      cri.awaitExit(cri.run(podId, pod, Cri.container("a", image, "sh", "-c", "exit 3").build()));
      cri.run(podId, pod, Cri.container("b", image, "sleep", "1000").build());

      String answer = get(socket, "/metrics");
      assertThat(answer).startsWith("HTTP/1.1 200 OK\r\n").contains("text/plain");
      String page = answer.substring(answer.indexOf("\r\n\r\n") + 4);
      assertThat(page)
          .contains("jrt_containers{state=\"running\"} 1")
          .contains("jrt_containers{state=\"exited\"} 1")
          .contains("jrt_container_exits_total{reason=\"Error\"} 1")
          .contains("jrt_images 1")
          .contains(
              "jrt_request_duration_seconds_count{method=\"runtime.v1.RuntimeService/RunPodSandbox\",result=\"ok\"}"
                  + " 1")
          .contains("operation=\"start container\",result=\"ok\",step=\"launch\"")
          .contains("jrt_pods_cpu_seconds_total");
      assertThat(get(socket, "/")).startsWith("HTTP/1.1 404");
      String dashboard =
          Files.readString(Daemon.programs().resolveSibling("share/grafana/jrt.json"));
      // Of operations there is something to tell only while one is under way.
      assertThat(
              Pattern.compile("jrt_[a-z_]+")
                  .matcher(dashboard)
                  .results()
                  .map(metric -> metric.group().replaceFirst("_(bucket|sum|count)$", ""))
                  .filter(metric -> !metric.equals("jrt_operations")))
          .isNotEmpty()
          .allSatisfy(metric -> assertThat(page).contains("# HELP " + metric + " "));
      Assumptions.assumeTrue(Files.isExecutable(PROMTOOL));
      Process check =
          new ProcessBuilder(PROMTOOL.toString(), "check", "metrics")
              .redirectErrorStream(true)
              .start();
      try (var in = check.getOutputStream()) {
        in.write(page.getBytes(StandardCharsets.UTF_8));
      }
      String said = new String(check.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(check.waitFor()).as(said).isZero();
    }
  }

  @Test
  void statsAndTopShowWhatContainersUse() throws Exception {
    try (Daemon daemon = Daemon.start()) {
      Cri cri = daemon.cri();
      String image = daemon.bundledImage();
      PodSandboxConfig pod =
          Cri.pod("shown", NamespaceMode.NODE, daemon.home().resolve("logs")).build();
      String podId = cri.runPod(pod);
      String busy =
          cri.run(
              podId, pod, Cri.container("busy", image, "sh", "-c", "while :; do :; done").build());
      cri.run(podId, pod, Cri.container("idle", image, "sleep", "1000").build());
      String stats = daemon.jrt("stats").ok();
      assertThat(stats).contains("it/shown").contains("busy").contains("idle");
      String top = daemon.jrt("top", "--delay", "200ms", "--times", "3").ok();
      assertThat(top).contains("2 containers, cpu ");
      String first = top.lines().skip(2).findFirst().orElseThrow();
      assertThat(first).startsWith(busy.substring(0, 12));
      assertThat(daemon.jrt("stats", busy, "-o", "json").ok())
          .contains("\"processes\": \"1\"")
          .doesNotContain("idle");
      assertThat(daemon.jrt("events", "--no-follow", "--filter", "event=ContainerStarted").ok())
          .contains(busy.substring(0, 12))
          .doesNotContain("PodStarted");
    }
  }
}
