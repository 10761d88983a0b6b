package io.jrt.it;

import static org.assertj.core.api.Assertions.assertThat;

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
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/**
 * kubectl's exec, attach, port-forward, logs, cp and debug, through API server and kubelet, by
 * WebSocket and by SPDY. Skipped unless {@code JRT_IT_CLUSTER} names a directory with Kubernetes'
 * programs and etcd.
 */
class ClusterStreamsIT {
  private static final int CONNECTIONS = 40;
  private static Cluster cluster;

  @BeforeAll
  static void start() throws Exception {
    cluster = Cluster.start();
    cluster.kubectl("run", "c", "--image=" + cluster.image(), "--", "sleep", "100000").ok();
    cluster.awaitReady("c");
  }

  @AfterAll
  static void stop() throws Exception {
    if (cluster != null) {
      cluster.close();
    }
  }

  private static Map<String, String> by(String transport) {
    String webSocket = String.valueOf(transport.equals("websocket"));
    return Map.of(
        "KUBECTL_REMOTE_COMMAND_WEBSOCKETS",
        webSocket,
        "KUBECTL_PORT_FORWARD_WEBSOCKETS",
        webSocket);
  }

  private static Daemon.Result kubectl(String transport, String... words) throws Exception {
    return cluster.kubectl(by(transport), new byte[0], words);
  }

  @ParameterizedTest
  @ValueSource(strings = {"websocket", "spdy"})
  void commandsHaveTheirStreamsAndExitCode(String transport) throws Exception {
    Daemon.Result failed =
        kubectl(transport, "exec", "c", "--", "sh", "-c", "echo one; echo two >&2; exit 3");
    assertThat(failed.out()).isEqualTo("one\n");
    assertThat(failed.err()).startsWith("two\n").contains("exit code 3");
    assertThat(failed.code()).isEqualTo(3);
    assertThat(kubectl(transport, "exec", "c", "--", "/no/such").err()).contains("/no/such");
    byte[] input = new byte[5 << 20];
    new Random(1).nextBytes(input);
    String sum = TestImage.digest(input).substring("sha256:".length());
    assertThat(cluster.kubectl(by(transport), input, "exec", "-i", "c", "--", "sha256sum").ok())
        .isEqualTo(sum + "  -\n");
    String much = "0123456789abcdef".repeat(1 << 16);
    byte[] text = much.getBytes(StandardCharsets.US_ASCII);
    assertThat(cluster.kubectl(by(transport), text, "exec", "-i", "c", "--", "cat").ok())
        .isEqualTo(much);
  }

  @ParameterizedTest
  @ValueSource(strings = {"websocket", "spdy"})
  void aTerminalFollowsItsWindow(String transport) throws Exception {
    StringBuilder environment = new StringBuilder();
    by(transport).forEach((name, value) -> environment.append(name + "=" + value + " "));
    try (Tmux terminal =
        Tmux.open(cluster.home(), cluster.shell(environment.toString()), 100, 30)) {
      terminal.type("kubectl exec -it c -- sh");
      terminal.await("/ #");
      terminal.typeUntil("stty size", "30 100");
      terminal.resize(77, 21);
      terminal.typeUntil("stty size", "21 77");
      terminal.type("sleep 1000");
      // Typed before sleep has the terminal, a Ctrl-C would be the shell's.
      terminal.await(
          "the shell again",
          screen -> {
            terminal.keys("C-c");
            terminal.type("echo still $((40 + 2))");
            Daemon.sleep(200);
            return screen.contains("still 42");
          });
      terminal.type("exit 5");
      terminal.awaitPrompt();
      terminal.type("echo code $?");
      terminal.await("code 5");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"websocket", "spdy"})
  void whoAttachesTalksToTheProcess(String transport) throws Exception {
    String name = "talks-" + transport;
    byte[] input = TestImage.utf8("you\n");
    Daemon.Result said =
        cluster.kubectl(
            by(transport),
            input,
            "run",
            name,
            "-i",
            "--rm",
            "--quiet",
            "--restart=Never",
            "--image=" + cluster.image(),
            "--",
            "sh",
            "-c",
            "read line; echo heard $line; exit 4");
    assertThat(said.out()).contains("heard you\n");
    assertThat(said.code()).isEqualTo(4);
    cluster.pod(
        name,
        """
        containers:
        - name: c
          image: "%s"
          stdin: true
          command: [sh, -c, "while read line; do echo heard $line; done"]
        """
            .formatted(cluster.image()));
    cluster.awaitReady(name);
    ProcessBuilder builder = cluster.command("attach", "-i", name);
    builder.environment().putAll(by(transport));
    builder.redirectError(cluster.home().resolve("attach.err").toFile());
    Process client = builder.start();
    try (OutputStream in = client.getOutputStream();
        BufferedReader lines = client.inputReader()) {
      in.write(TestImage.utf8("once\ntwice\n"));
      in.flush();
      assertThat(lines.readLine()).isEqualTo("heard once");
      assertThat(lines.readLine()).isEqualTo("heard twice");
    } finally {
      Cluster.end(client);
    }
    assertThat(Cluster.ready(cluster.get("pod", name))).isTrue();
    cluster.delete("pod", name);
  }

  /** A client that forwards from a port of its choice. */
  private record Forward(Process client, int port, Path complaints) implements AutoCloseable {
    static Forward start(String transport, String pod, int remote) throws IOException {
      ProcessBuilder builder = cluster.command("port-forward", pod, ":" + remote);
      builder.environment().putAll(by(transport));
      Path complaints = Files.createTempFile(cluster.home(), "forward-", ".err");
      Process client = builder.redirectError(complaints.toFile()).start();
      String line = client.inputReader().readLine();
      assertThat(line).as(Files.readString(complaints)).startsWith("Forwarding from 127.0.0.1:");
      int port = Integer.parseInt(line.replaceFirst(".*127\\.0\\.0\\.1:(\\d+) .*", "$1"));
      return new Forward(client, port, complaints);
    }

    Socket connect() throws Exception {
      return cluster.network().call(() -> new Socket(InetAddress.getLoopbackAddress(), port));
    }

    String complained() throws IOException {
      return Files.readString(complaints);
    }

    @Override
    public void close() {
      Cluster.end(client);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"websocket", "spdy"})
  void forwardedPortsAnswerManyAtOnce(String transport) throws Exception {
    String name = "serves-" + transport;
    cluster.pod(
        name,
        """
        containers:
        - name: c
          image: "%s"
          command: [sh, -c, "head -c 1000000 /dev/zero >/z; httpd -f -p 8080 -h /"]
          readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1}
        """
            .formatted(cluster.image()));
    cluster.awaitReady(name);
    try (Forward forward = Forward.start(transport, name, 8080);
        ExecutorService readers = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Socket> sockets = new ArrayList<>();
      for (int i = 0; i < CONNECTIONS; i++) {
        sockets.add(forward.connect());
      }
      List<Future<Integer>> lengths = new ArrayList<>();
      for (Socket socket : sockets) {
        lengths.add(readers.submit(() -> fetch(socket)));
      }
      for (Future<Integer> length : lengths) {
        assertThat(length.get()).as(forward.complained()).isGreaterThan(1_000_000);
      }
    }
    try (Forward forward = Forward.start(transport, name, 9)) {
      try (Socket socket = forward.connect()) {
        assertThat(socket.getInputStream().readAllBytes()).isEmpty();
      }
      assertThat(forward.complained()).contains("refused");
    }
    cluster.delete("pod", name);
  }

  private static int fetch(Socket socket) throws IOException {
    try (socket;
        InputStream in = socket.getInputStream()) {
      socket.getOutputStream().write(TestImage.utf8("GET /z HTTP/1.0\r\n\r\n"));
      return in.readAllBytes().length;
    }
  }

  @Test
  void logsAreFollowedToTheEnd() throws Exception {
    cluster
        .kubectl(
            "run",
            "loud",
            "--image=" + cluster.image(),
            "--restart=Never",
            "--",
            "sh",
            "-c",
            "for i in $(seq 1 5000); do echo line $i; done; echo err >&2; sleep 2; echo last")
        .ok();
    cluster.awaitPod(
        "loud", "started", pod -> !pod.at("/status/phase").asString("Pending").equals("Pending"));
    List<String> lines = cluster.kubectl("logs", "-f", "loud").ok().lines().toList();
    assertThat(lines).hasSize(5002).endsWith("last").contains("err", "line 1", "line 5000");
    assertThat(cluster.kubectl("logs", "--tail=1", "--timestamps", "loud").ok())
        .matches("\\d{4}-\\d\\d-\\d\\dT\\S+ last\\n");
    assertThat(cluster.kubectl("logs", "--limit-bytes=6", "loud").ok()).isEqualTo("line 1");
    cluster.delete("pod", "loud");
  }

  @Test
  void filesAreCopiedBothWays() throws Exception {
    Path out = Files.createDirectories(cluster.home().resolve("out/sub"));
    byte[] bytes = new byte[3 << 20];
    new Random(2).nextBytes(bytes);
    Files.write(out.resolve("f"), bytes);
    cluster.kubectl("cp", cluster.home().resolve("out").toString(), "c:/tmp/in").ok();
    cluster.kubectl("cp", "c:/tmp/in", cluster.home().resolve("back").toString()).ok();
    assertThat(Arrays.equals(Files.readAllBytes(cluster.home().resolve("back/sub/f")), bytes))
        .isTrue();
  }

  @Test
  void aDebugContainerSeesTheProcessesOfItsTarget() throws Exception {
    cluster.pod(
        "target",
        "containers: [{name: main, image: \"%s\", command: [sleep, \"4321\"]}]"
            .formatted(cluster.image()));
    cluster.awaitReady("target");
    cluster
        .kubectl(
            "debug",
            "target",
            "--image=" + cluster.image(),
            "--target=main",
            "-c",
            "look",
            "--profile=general",
            "--",
            "sh",
            "-c",
            "ps; cat /proc/1/root/etc/hostname; sleep 1000")
        .ok();
    JsonNode pod =
        cluster.awaitPod(
            "target",
            "debugged",
            found -> Cluster.container(found, "look").at("/state").has("running"));
    assertThat(Cluster.container(pod, "main").path("restartCount").asInt(-1)).isZero();
    String logs = "";
    while (!logs.contains("target\n")) {
      logs = cluster.kubectl("logs", "target", "-c", "look").ok();
      Daemon.sleep(200);
    }
    assertThat(logs).contains("sleep 4321");
    cluster
        .kubectl(
            "debug",
            "node/node",
            "--image=" + cluster.image(),
            "--profile=sysadmin",
            "--",
            "chroot",
            "/host",
            "cat",
            "/proc/1/comm")
        .ok();
    String own = Files.readString(Path.of("/proc/1/comm"));
    cluster.await(
        "the node's debugger",
        "done",
        pods -> pods.toString().contains("node-debugger") && pods.toString().contains("Completed"),
        "pods");
    String debugger =
        cluster
            .kubectl("get", "pods", "-o", "name")
            .ok()
            .lines()
            .filter(name -> name.contains("node-debugger"))
            .findFirst()
            .orElseThrow();
    assertThat(cluster.kubectl("logs", debugger).ok()).isEqualTo(own);
    cluster.delete("pod", "target", debugger.replace("pod/", ""));
  }
}
