package io.jrt.server.streaming;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrt.core.Bytes;
import io.jrt.core.ExecRequest;
import io.jrt.core.io.AttachRequest;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.server.streaming.SpdyTestClient.Stream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Against real processes and sockets, with clients that share no code with the server. */
@Timeout(60)
class StreamingServerTest {
  private static final String V4 = "v4.channel.k8s.io";
  private static final String PORT_FORWARD = "portforward.k8s.io";

  @TempDir private Path directory;
  private ProcessBackend backend;
  private StreamingServer server;

  @BeforeEach
  void start() {
    backend = new ProcessBackend(directory);
    server = StreamingServer.start(StreamingConfig.defaults(), backend);
  }

  @AfterEach
  void stop() {
    server.close();
    backend.close();
  }

  // SPDY: exec and attach

  @ParameterizedTest
  @ValueSource(
      strings = {"v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io"})
  void streamsStayApartAndTheExitCodeIsTold(String protocol) throws Exception {
    URI url = exec("echo out; echo err >&2; exit 7", false, false);
    try (SpdyTestClient client = new SpdyTestClient(url, "unknown", protocol)) {
      assertThat(client.header("x-stream-protocol-version")).isEqualTo(protocol);
      Stream error = client.openAndWait("streamtype", "error");
      Stream stdout = client.openAndWait("streamtype", "stdout");
      Stream stderr = client.openAndWait("streamtype", "stderr");
      client.awaitClose();
      assertThat(client.text(stdout)).isEqualTo("out\n");
      assertThat(client.text(stderr)).isEqualTo("err\n");
      assertThat(client.sawGoAway()).isTrue();
      switch (protocol) {
        case "channel.k8s.io" -> assertThat(client.wasReset(error)).isTrue();
        case V4 ->
            assertThat(client.text(error))
                .contains("\"reason\":\"NonZeroExitCode\"")
                .contains("{\"reason\":\"ExitCode\",\"message\":\"7\"}");
        default ->
            assertThat(client.text(error))
                .isEqualTo("command terminated with non-zero exit code: 7");
      }
    }
  }

  @Test
  void halfCloseOfStdinEndsIt() throws Exception {
    try (SpdyTestClient client = new SpdyTestClient(exec("cat; echo end", true, false), V4)) {
      Stream error = client.openAndWait("streamtype", "error");
      Stream stdin = client.openAndWait("streamtype", "stdin");
      Stream stdout = client.openAndWait("streamtype", "stdout");
      Stream stderr = client.openAndWait("streamtype", "stderr");
      byte[] much = "0123456789abcdef".repeat(30_000).getBytes(UTF_8);
      client.send(stdin, much, false);
      client.end(stdin);
      client.awaitClose();
      assertThat(client.bytes(stdout)).hasSize(much.length + 4);
      assertThat(client.text(stdout)).endsWith("abcdefend\n");
      assertThat(client.text(stderr)).isEmpty();
      assertThat(client.text(error)).contains("\"status\":\"Success\"");
    }
  }

  @Test
  void aTerminalHasItsSizeFromTheStartAndFollowsTheClient() throws Exception {
    URI url = exec("stty size; read line; stty size; exit 3", true, true);
    try (SpdyTestClient client = new SpdyTestClient(url, V4)) {
      Stream error = client.openAndWait("streamtype", "error");
      Stream stdin = client.openAndWait("streamtype", "stdin");
      Stream stdout = client.openAndWait("streamtype", "stdout");
      Stream resize = client.openAndWait("streamtype", "resize");
      client.send(resize, "{\"Width\":91,\"Height\":33}\n");
      client.awaitText(stdout, "33 91");
      client.send(resize, "{\"Width\":120,");
      client.send(resize, "\"Height\":50}\n");
      client.send(stdin, "go\n");
      client.awaitClose();
      assertThat(client.text(stdout)).startsWith("33 91\r\n").contains("50 120\r\n");
      assertThat(client.text(error)).contains("\"message\":\"3\"");
    }
  }

  @Test
  void aClientThatVanishesEndsStdinAndLeavesNothing() throws Exception {
    try (SpdyTestClient client = new SpdyTestClient(exec("cat", true, false), V4)) {
      Stream stdin = openAll(client);
      client.send(stdin, "x");
      awaitOutput(client, "x");
      assertThat(backend.running()).hasSize(1);
    }
    while (!backend.running().isEmpty() || server.connections() > 0) {
      Thread.sleep(5);
    }
  }

  @Test
  void pingsAreAnswered() throws Exception {
    try (SpdyTestClient client = new SpdyTestClient(exec("sleep 1", false, false), V4)) {
      client.ping(17);
      client.awaitPing(17);
    }
  }

  @Test
  void severalClientsSeeTheSameOutputAndMayLeave() throws Exception {
    backend.container("c1", "while read line; do echo got $line; done; exit 0");
    try (SpdyTestClient second = new SpdyTestClient(attach("c1"), V4)) {
      Stream otherStdin = openAll(second);
      try (SpdyTestClient first = new SpdyTestClient(attach("c1"), V4)) {
        Stream stdin = openAll(first);
        first.send(stdin, "hello\n");
        awaitOutput(first, "got hello\n");
      }
      awaitOutput(second, "got hello\n");
      second.send(otherStdin, "again\n");
      awaitOutput(second, "got again\n");
    }
    assertThat(backend.running()).hasSize(1);
  }

  @Test
  void whatCannotBeRunIsSaidOnTheErrorStream() throws Exception {
    try (SpdyTestClient client = new SpdyTestClient(attach("nobody"), V4)) {
      Stream error = client.openAndWait("streamtype", "error");
      client.openAndWait("streamtype", "stdin");
      client.openAndWait("streamtype", "stdout");
      client.openAndWait("streamtype", "stderr");
      client.awaitClose();
      assertThat(client.text(error)).contains("container nobody not found").contains("500");
    }
  }

  // Tokens and negotiation

  @Test
  void aUrlWorksOnceAndOnlyForItsKind() throws Exception {
    URI url = exec("true", false, false);
    URI wrongKind = URI.create(url.toString().replace("/exec/", "/attach/"));
    try (SpdyTestClient wrong = new SpdyTestClient(wrongKind, V4);
        SpdyTestClient first = new SpdyTestClient(url, V4);
        SpdyTestClient second = new SpdyTestClient(url, V4)) {
      assertThat(wrong.statusLine()).contains("404");
      assertThat(first.isUpgraded()).isTrue();
      assertThat(second.statusLine()).contains("404");
    }
  }

  @Test
  void protocolsThatNobodyKnowsAreRefused() throws Exception {
    try (SpdyTestClient unknown = new SpdyTestClient(exec("true", false, false), "v9.x");
        SpdyTestClient none = new SpdyTestClient(exec("true", false, false))) {
      assertThat(unknown.statusLine()).contains("403");
      assertThat(unknown.header("x-accepted-stream-protocol-versions")).contains(V4);
      assertThat(none.statusLine()).contains("400");
    }
  }

  @Test
  void atMostAThousandUrlsWait() {
    for (int i = 0; i < 1000; i++) {
      exec("true", false, false);
    }
    assertThatThrownBy(() -> exec("true", false, false))
        .isInstanceOfSatisfying(
            JrtException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.EXHAUSTED));
  }

  // WebSocket

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "channel.k8s.io",
        "base64.channel.k8s.io",
        "v4.channel.k8s.io",
        "v4.base64.channel.k8s.io",
        "v5.channel.k8s.io"
      })
  void webSocketChannelsStayApartAndTheExitCodeIsTold(String protocol) throws Exception {
    URI url = exec("echo out; echo err >&2; exit 7", false, false);
    try (WebSocketTestClient client = new WebSocketTestClient(url, protocol)) {
      client.awaitClose();
      assertThat(client.text(1)).isEqualTo("out\n");
      assertThat(client.text(2)).isEqualTo("err\n");
      if (protocol.startsWith("v")) {
        assertThat(client.text(3)).contains("{\"reason\":\"ExitCode\",\"message\":\"7\"}");
      } else {
        assertThat(client.text(3)).isEqualTo("command terminated with non-zero exit code: 7");
      }
    }
  }

  @Test
  void theCloseSignalOfV5EndsStdin() throws Exception {
    try (WebSocketTestClient client =
        new WebSocketTestClient(exec("cat; echo end", true, false), "v5.channel.k8s.io")) {
      client.send(0, "hello ");
      client.send(0, "there\n");
      client.send(255, new byte[] {0});
      client.awaitClose();
      assertThat(client.text(1)).isEqualTo("hello there\nend\n");
      assertThat(client.text(3)).contains("Success");
    }
  }

  @Test
  void webSocketTerminalsFollowTheClient() throws Exception {
    URI url = exec("stty size; read line; stty size", true, true);
    try (WebSocketTestClient client = new WebSocketTestClient(url, V4)) {
      client.send(4, "{\"Width\":91,\"Height\":33}");
      client.awaitText(1, "33 91");
      client.send(4, "{\"Width\":120,\"Height\":50}");
      client.send(0, "go\n");
      client.awaitClose();
      assertThat(client.text(1)).contains("50 120");
    }
  }

  // Port-forward

  @Test
  void aHundredConnectionsShareOnePortForward() throws Exception {
    try (ServerSocket echo = echoServer();
        SpdyTestClient client =
            new SpdyTestClient(server.portForward("p", List.of()), PORT_FORWARD)) {
      String port = Integer.toString(echo.getLocalPort());
      List<Stream> data = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        String id = Integer.toString(i);
        client.open("streamtype", "error", "port", port, "requestid", id);
        data.add(client.open("streamtype", "data", "port", port, "requestid", id));
      }
      byte[] chunk = "x".repeat(20_000).getBytes(UTF_8);
      for (int round = 0; round < 5; round++) {
        for (Stream stream : data) {
          client.send(stream, chunk, false);
        }
      }
      for (int i = 0; i < data.size(); i++) {
        client.send(data.get(i), "end " + i);
        client.end(data.get(i));
      }
      for (int i = 0; i < data.size(); i++) {
        client.awaitEnd(data.get(i));
        assertThat(client.count(data.get(i))).isEqualTo(100_000 + ("end " + i).length());
        assertThat(client.text(data.get(i))).endsWith("end " + i);
      }
    }
  }

  @Test
  void connectionsThatBothSidesCloseAtOnceEndWithoutAnError() throws Exception {
    byte[] answer = "y".repeat(50_000).getBytes(UTF_8);
    try (ServerSocket source = new ServerSocket(0, 300, InetAddress.getLoopbackAddress());
        SpdyTestClient client =
            new SpdyTestClient(server.portForward("p", List.of()), PORT_FORWARD)) {
      Thread.ofVirtual().start(() -> answerAndClose(source, answer));
      String port = Integer.toString(source.getLocalPort());
      List<Stream> errors = new ArrayList<>();
      List<Stream> data = new ArrayList<>();
      for (int i = 0; i < 300; i++) {
        String id = Integer.toString(i);
        errors.add(client.open("streamtype", "error", "port", port, "requestid", id));
        Stream one = client.open("streamtype", "data", "port", port, "requestid", id);
        data.add(one);
        client.end(one);
      }
      for (int i = 0; i < data.size(); i++) {
        client.awaitEnd(data.get(i));
        client.awaitEnd(errors.get(i));
        assertThat(client.text(errors.get(i))).isEmpty();
        assertThat(client.count(data.get(i))).isEqualTo(answer.length);
      }
    }
  }

  private static void answerAndClose(ServerSocket source, byte[] answer) {
    try {
      while (true) {
        try (Socket socket = source.accept()) {
          socket.getOutputStream().write(answer);
        }
      }
    } catch (IOException e) {
      // the test is over
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void aPortThatNobodyListensOnIsSaidOnItsErrorStream() throws Exception {
    int free;
    try (ServerSocket socket = new ServerSocket(0)) {
      free = socket.getLocalPort();
    }
    String port = Integer.toString(free);
    try (SpdyTestClient client =
        new SpdyTestClient(server.portForward("p", List.of()), PORT_FORWARD)) {
      Stream error = client.openAndWait("streamtype", "error", "port", port, "requestid", "0");
      Stream data = client.openAndWait("streamtype", "data", "port", port, "requestid", "0");
      client.awaitEnd(error);
      assertThat(client.text(error)).isEqualTo("cannot connect to port " + port);
      client.awaitEnd(data);
      Stream bad = client.openAndWait("streamtype", "data", "port", "0", "requestid", "1");
      assertThat(client.wasReset(bad)).isTrue();
    }
  }

  @Test
  void clientsWithoutRequestIdsArePairedByStream() throws Exception {
    try (ServerSocket echo = echoServer();
        SpdyTestClient client =
            new SpdyTestClient(server.portForward("p", List.of()), PORT_FORWARD)) {
      String port = Integer.toString(echo.getLocalPort());
      client.openAndWait("streamtype", "error", "port", port);
      Stream data = client.openAndWait("streamtype", "data", "port", port);
      client.send(data, "hi");
      client.end(data);
      client.awaitEnd(data);
      assertThat(client.text(data)).isEqualTo("hi");
    }
  }

  @Test
  void webSocketPortForwardBeginsEachChannelWithThePort() throws Exception {
    try (ServerSocket echo = echoServer();
        WebSocketTestClient client =
            new WebSocketTestClient(
                server.portForward("p", List.of(echo.getLocalPort())), "v4.channel.k8s.io")) {
      client.send(0, "hello");
      client.awaitText(0, "hello");
      byte[] first = client.bytes(0);
      assertThat((first[0] & 0xff) | (first[1] & 0xff) << 8).isEqualTo(echo.getLocalPort());
      assertThat(client.bytes(1)).hasSize(2);
    }
  }

  @Test
  void spdyThroughAWebSocketForwardsPorts() throws Exception {
    try (ServerSocket echo = echoServer();
        SpdyTestClient client =
            SpdyTestClient.tunnelled(server.portForward("p", List.of()), PORT_FORWARD)) {
      String port = Integer.toString(echo.getLocalPort());
      client.openAndWait("streamtype", "error", "port", port, "requestid", "1");
      Stream data = client.openAndWait("streamtype", "data", "port", port, "requestid", "1");
      byte[] much = "0123456789".repeat(20_000).getBytes(UTF_8);
      client.send(data, much, false);
      client.end(data);
      client.awaitEnd(data);
      assertThat(client.bytes(data)).isEqualTo(much);
    }
  }

  // Leaks

  @Test
  void roundsOfAttachAndDetachLeaveThreadsAndDescriptorsAsTheyWere() throws Exception {
    int rounds = Integer.getInteger("jrt.test.attach.rounds", 500);
    backend.container("c1", "while read line; do echo $line; done");
    attachAndLeave(50);
    Set<String> threads = threads();
    int descriptors = descriptors();
    attachAndLeave(rounds);
    assertThat(threads()).hasSizeLessThanOrEqualTo(threads.size() + 2);
    assertThat(descriptors()).isLessThanOrEqualTo(descriptors + 2);
  }

  private void attachAndLeave(int rounds) throws Exception {
    for (int i = 0; i < rounds; i++) {
      try (SpdyTestClient client = new SpdyTestClient(attach("c1"), V4)) {
        Stream stdin = openAll(client);
        client.send(stdin, i + "\n");
        awaitOutput(client, i + "\n");
      }
    }
    while (server.connections() > 0) {
      Thread.sleep(5);
    }
  }

  private static Set<String> threads() {
    return Thread.getAllStackTraces().keySet().stream()
        .map(Thread::getName)
        .collect(Collectors.toSet());
  }

  private static int descriptors() throws IOException {
    try (java.util.stream.Stream<Path> all = Files.list(Path.of("/proc/self/fd"))) {
      return (int) all.count();
    }
  }

  private URI exec(String script, boolean stdin, boolean tty) {
    return server.exec(
        "c", new ExecRequest(Bytes.listOf(List.of("sh", "-c", script)), tty, stdin, true, !tty));
  }

  private URI attach(String id) {
    return server.attach(id, new AttachRequest(true, true, true), false);
  }

  /** Opens all streams, in an order of its own, and answers stdin. */
  private Stream openAll(SpdyTestClient client) throws Exception {
    client.open("streamtype", "error");
    Stream stdin = client.open("streamtype", "stdin");
    client.open("streamtype", "stdout");
    client.openAndWait("streamtype", "stderr");
    return stdin;
  }

  private static void awaitOutput(SpdyTestClient client, String text) throws Exception {
    client.awaitText(client.stream(5), text);
  }

  private static ServerSocket echoServer() throws IOException {
    ServerSocket server = new ServerSocket(0, 200, InetAddress.getLoopbackAddress());
    Thread.ofVirtual()
        .start(
            () -> {
              try {
                while (true) {
                  Socket socket = server.accept();
                  Thread.ofVirtual().start(() -> echo(socket));
                }
              } catch (IOException closed) {
                // The test is over.
              }
            });
    return server;
  }

  private static void echo(Socket socket) {
    try (socket) {
      socket.getInputStream().transferTo(socket.getOutputStream());
    } catch (IOException e) {
      // The client left.
    }
  }
}
