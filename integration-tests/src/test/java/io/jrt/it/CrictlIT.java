package io.jrt.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jrt.cri.v1.NamespaceMode;
import io.jrt.cri.v1.PodSandboxConfig;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What crictl, with Kubernetes' own client in it, sees of a daemon; where there is a crictl: {@code
 * CRICTL} names it, or it is on the path.
 */
@Timeout(120)
@SuppressWarnings("NullAway.Init") // each test begins with start
class CrictlIT {
  @TempDir private Path directory;
  private Path crictl;
  private Daemon daemon;
  private Cri cri;
  private String image;
  private String podId;
  private PodSandboxConfig pod;

  private record Result(int code, String out, String err) {
    String ok() {
      assertThat(code).as("exit code; %s", err).isZero();
      return out;
    }
  }

  private static Optional<Path> program() {
    String named = System.getenv("CRICTL");
    if (named != null) {
      return Optional.of(Path.of(named));
    }
    return Stream.of(Optional.ofNullable(System.getenv("PATH")).orElse("").split(":", -1))
        .filter(part -> !part.isEmpty())
        .map(part -> Path.of(part, "crictl"))
        .filter(Files::isExecutable)
        .findFirst();
  }

  @BeforeEach
  void start() throws Exception {
    Optional<Path> found = program();
    assumeTrue(found.isPresent(), "there is no crictl here");
    crictl = found.get();
    daemon = Daemon.start("network.bridge.subnets = ['10.217.0.0/16']\n");
    cri = daemon.cri();
    image = daemon.bundledImage();
    pod = Cri.pod("seen", NamespaceMode.POD, daemon.home().resolve("logs")).build();
    podId = cri.runPod(pod);
  }

  @AfterEach
  void stop() throws IOException {
    if (daemon != null) {
      daemon.close();
    }
  }

  private ProcessBuilder command(String... words) throws IOException {
    Path config = Files.writeString(directory.resolve("crictl.yaml"), "timeout: 30\n");
    List<String> command = new ArrayList<>();
    command.add(crictl.toString());
    command.addAll(List.of("-c", config.toString(), "-r", "unix://" + daemon.socket()));
    command.addAll(List.of("-i", "unix://" + daemon.socket()));
    command.addAll(List.of(words));
    return new ProcessBuilder(command);
  }

  private Result run(byte[] input, String... words) throws Exception {
    Path out = directory.resolve("out");
    Path err = directory.resolve("err");
    Process client =
        command(words).redirectOutput(out.toFile()).redirectError(err.toFile()).start();
    try {
      try (OutputStream in = client.getOutputStream()) {
        in.write(input);
      }
      assertThat(client.waitFor(60, TimeUnit.SECONDS)).as("%s ends", List.of(words)).isTrue();
      return new Result(client.exitValue(), Files.readString(out), Files.readString(err));
    } finally {
      client.destroyForcibly();
    }
  }

  private Result run(String... words) throws Exception {
    return run(new byte[0], words);
  }

  @ParameterizedTest
  @ValueSource(strings = {"spdy", "websocket"})
  void commandsHaveTheirStreamsAndTheirExitCode(String transport) throws Exception {
    String id = cri.run(podId, pod, Cri.container("c", image, "sleep", "1000").build());
    assertThat(run("exec", "-r", transport, id, "echo", "out").ok()).isEqualTo("out\n");
    Result failed = run("exec", "-r", transport, id, "sh", "-c", "echo one; echo two >&2; exit 3");
    assertThat(failed.out()).isEqualTo("one\n");
    assertThat(failed.err()).startsWith("two\n").contains("exit code 3");
    assertThat(failed.code()).isNotZero();
    String much = "0123456789abcdef".repeat(1 << 16);
    byte[] input = much.getBytes(StandardCharsets.US_ASCII);
    assertThat(run(input, "exec", "-r", transport, "-i", id, "cat").ok()).isEqualTo(much);
  }

  @ParameterizedTest
  @ValueSource(strings = {"spdy", "websocket"})
  void whoAttachesTalksToTheProcess(String transport) throws Exception {
    String id =
        cri.run(
            podId,
            pod,
            Cri.container("talks", image, "sh", "-c", "read line; echo heard $line; exit 4")
                .setStdin(true)
                .setStdinOnce(true)
                .build());
    byte[] input = "you\n".getBytes(StandardCharsets.US_ASCII);
    assertThat(run(input, "attach", "-r", transport, "-i", id).out()).isEqualTo("heard you\n");
    assertThat(cri.awaitExit(id).getExitCode()).isEqualTo(4);
  }

  @ParameterizedTest
  @ValueSource(strings = {"spdy", "websocket"})
  void forwardedPortsAnswer(String transport) throws Exception {
    cri.run(
        podId,
        pod,
        Cri.container("serves", image, "sh", "-c", "while :; do echo pong | nc -l -p 7000; done")
            .build());
    Process client =
        command("port-forward", "-r", transport, podId, ":7000").redirectErrorStream(true).start();
    try (BufferedReader lines = client.inputReader()) {
      String line = lines.readLine();
      while (line != null && !line.startsWith("Forwarding from 127.0.0.1:")) {
        line = lines.readLine();
      }
      assertThat(line).isNotNull();
      int port = Integer.parseInt(line.replaceFirst(".*127\\.0\\.0\\.1:(\\d+) .*", "$1"));
      assertThat(answer(port)).isEqualTo("pong\n");
    } finally {
      client.destroy();
      client.waitFor();
    }
  }

  /** The listener comes a moment after its container's start. */
  private static String answer(int port) throws IOException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
    while (true) {
      try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
          InputStream in = socket.getInputStream()) {
        socket.setSoTimeout(5000);
        String said = new String(in.readAllBytes(), StandardCharsets.US_ASCII);
        if (!said.isEmpty()) {
          return said;
        }
      } catch (IOException e) {
        if (System.nanoTime() > end) {
          throw e;
        }
      }
      assertThat(System.nanoTime()).as("an answer").isLessThan(end);
      Daemon.sleep(50);
    }
  }

  @Test
  void whatIsThereIsListedAndMeasured() throws Exception {
    String id = cri.run(podId, pod, Cri.container("c", image, "sleep", "1000").build());
    assertThat(run("version").ok()).contains("RuntimeName:  jrt");
    assertThat(run("pods", "-q", "--no-trunc").ok().strip()).isEqualTo(podId);
    assertThat(run("ps", "-q", "--no-trunc").ok().strip()).isEqualTo(id);
    assertThat(run("images").ok()).contains("jrt-busybox");
    assertThat(run("inspect", id).ok()).contains("CONTAINER_RUNNING");
    assertThat(run("inspectp", podId).ok()).contains("SANDBOX_READY");
    assertThat(run("info").ok()).contains("RuntimeReady");
    assertThat(run("stats", "-o", "json", id).ok()).contains("usageCoreNanoSeconds");
    assertThat(run("statsp", "-o", "json").ok()).contains(podId);
    assertThat(run("metricsp").ok()).contains("container_memory_working_set_bytes");
    assertThat(run("exec", "-s", id, "echo", "synchronous").ok()).startsWith("synchronous\n");
    assertThat(run("stop", "-t", "0", id).ok()).contains(id);
    assertThat(run("rm", id).ok()).contains(id);
  }
}
