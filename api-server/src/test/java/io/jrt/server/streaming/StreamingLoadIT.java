package io.jrt.server.streaming;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrt.core.Bytes;
import io.jrt.core.ExecRequest;
import io.jrt.server.streaming.SpdyTestClient.Stream;
import io.netty.buffer.PooledByteBufAllocator;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Much data through little memory. Size by {@code -Djrt.test.stream.mb=5000}. */
@Timeout(300)
class StreamingLoadIT {
  private static final long MEGABYTES = Long.getLong("jrt.test.stream.mb", 1000);
  private static final long MEGABYTE = 1 << 20;

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

  @Test
  void aGigabyteThroughExecTakesLittleMemory() throws Exception {
    try (SpdyTestClient client = exec("head -c 50000000 /dev/zero")) {
      client.awaitClose();
    }
    long before = directMemory();
    long began = System.nanoTime();
    try (SpdyTestClient client = exec("head -c " + MEGABYTES * MEGABYTE + " /dev/zero")) {
      client.awaitClose();
      assertThat(client.count(client.stream(3))).isEqualTo(MEGABYTES * MEGABYTE);
    }
    report("exec", began);
    assertThat(directMemory() - before).isLessThan(32 * MEGABYTE);
  }

  @Test
  void aReaderThatStopsHoldsTheProcess() throws Exception {
    Path progress = directory.resolve("progress");
    String script =
        "i=0; while [ $i -lt 4000 ]; do head -c 100000 /dev/zero; i=$((i+1)); echo $i > "
            + progress
            + "; done";
    try (SpdyTestClient client = exec(script)) {
      client.pause(true);
      String last = "";
      for (int same = 0; same < 10; ) {
        Thread.sleep(100);
        String now = Files.exists(progress) ? Files.readString(progress) : "";
        same = now.equals(last) && !now.isEmpty() ? same + 1 : 0;
        last = now;
      }
      // What the sockets of both sides and the watermarks take; far from the 400 MB in all.
      assertThat(Integer.parseInt(last.strip())).isLessThan(200);
      client.pause(false);
      client.awaitClose();
      assertThat(client.count(client.stream(3))).isEqualTo(400_000_000);
    }
  }

  @Test
  void aGigabyteIntoStdinTakesLittleMemory() throws Exception {
    long before = directMemory();
    long began = System.nanoTime();
    URI url =
        server.exec(
            "c", new ExecRequest(Bytes.listOf(List.of("wc", "-c")), false, true, true, false));
    try (SpdyTestClient client = new SpdyTestClient(url, "v4.channel.k8s.io")) {
      client.openAndWait("streamtype", "error");
      Stream stdin = client.openAndWait("streamtype", "stdin");
      Stream stdout = client.openAndWait("streamtype", "stdout");
      byte[] piece = new byte[(int) MEGABYTE];
      for (long i = 0; i < MEGABYTES; i++) {
        client.send(stdin, piece, false);
      }
      client.end(stdin);
      client.awaitClose();
      assertThat(client.text(stdout).strip()).isEqualTo(Long.toString(MEGABYTES * MEGABYTE));
    }
    report("stdin", began);
    assertThat(directMemory() - before).isLessThan(32 * MEGABYTE);
  }

  @Test
  void aProcessThatDoesNotReadHoldsTheClient() throws Exception {
    URI url =
        server.exec(
            "c",
            new ExecRequest(
                Bytes.listOf(List.of("sh", "-c", "sleep 3; wc -c")), false, true, true, false));
    try (SpdyTestClient client = new SpdyTestClient(url, "v4.channel.k8s.io")) {
      client.openAndWait("streamtype", "error");
      Stream stdin = client.openAndWait("streamtype", "stdin");
      Stream stdout = client.openAndWait("streamtype", "stdout");
      AtomicInteger sent = new AtomicInteger();
      Thread sender =
          Thread.ofVirtual()
              .start(
                  () -> {
                    try {
                      for (int i = 0; i < 100; i++) {
                        client.send(stdin, new byte[(int) MEGABYTE], false);
                        sent.incrementAndGet();
                      }
                      client.end(stdin);
                    } catch (IOException e) {
                      throw new UncheckedIOException(e);
                    }
                  });
      Thread.sleep(2000);
      // What the sockets of both sides take, and no more.
      assertThat(sent.get()).isLessThan(20);
      sender.join();
      client.awaitClose();
      assertThat(client.text(stdout).strip()).isEqualTo(Long.toString(100 * MEGABYTE));
    }
  }

  @Test
  void aGigabyteThroughPortForwardTakesLittleMemory() throws Exception {
    long before = directMemory();
    long began = System.nanoTime();
    try (ServerSocket source = new ServerSocket(0, 10, InetAddress.getLoopbackAddress())) {
      Thread.ofVirtual().start(() -> pour(source));
      URI url = server.portForward("p", List.of());
      try (SpdyTestClient client = new SpdyTestClient(url, "portforward.k8s.io")) {
        String port = Integer.toString(source.getLocalPort());
        client.openAndWait("streamtype", "error", "port", port, "requestid", "1");
        Stream data = client.openAndWait("streamtype", "data", "port", port, "requestid", "1");
        client.awaitEnd(data);
        assertThat(client.count(data)).isEqualTo(MEGABYTES * MEGABYTE);
      }
    }
    report("port-forward", began);
    assertThat(directMemory() - before).isLessThan(32 * MEGABYTE);
  }

  @Test
  void whoGoesWithHalfACloseDoesNotKeepThePodPouring() throws Exception {
    CountDownLatch broken = new CountDownLatch(1);
    try (ServerSocket source = new ServerSocket(0, 10, InetAddress.getLoopbackAddress())) {
      Thread.ofVirtual().start(() -> pourUntilBroken(source, broken));
      URI url = server.portForward("p", List.of());
      try (SpdyTestClient client = new SpdyTestClient(url, "portforward.k8s.io")) {
        String port = Integer.toString(source.getLocalPort());
        client.openAndWait("streamtype", "error", "port", port, "requestid", "1");
        Stream data = client.openAndWait("streamtype", "data", "port", port, "requestid", "1");
        client.end(data);
        assertThat(broken.await(120, TimeUnit.SECONDS)).isTrue();
      }
    }
  }

  private static void pourUntilBroken(ServerSocket source, CountDownLatch broken) {
    try (Socket socket = source.accept();
        OutputStream out = socket.getOutputStream()) {
      byte[] piece = new byte[1000];
      while (true) {
        out.write(piece);
        Thread.sleep(10);
      }
    } catch (IOException e) {
      broken.countDown();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private SpdyTestClient exec(String script) throws Exception {
    URI url =
        server.exec(
            "c",
            new ExecRequest(Bytes.listOf(List.of("sh", "-c", script)), false, false, true, false));
    SpdyTestClient client = new SpdyTestClient(url, "v4.channel.k8s.io");
    client.openAndWait("streamtype", "error");
    client.openAndWait("streamtype", "stdout");
    return client;
  }

  private static void pour(ServerSocket source) {
    try (Socket socket = source.accept();
        OutputStream out = socket.getOutputStream()) {
      byte[] piece = new byte[(int) MEGABYTE];
      for (long i = 0; i < MEGABYTES; i++) {
        out.write(piece);
      }
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private static long directMemory() {
    return PooledByteBufAllocator.DEFAULT.metric().usedDirectMemory()
        + io.netty.util.internal.PlatformDependent.usedDirectMemory();
  }

  private static void report(String what, long began) {
    double seconds = (System.nanoTime() - began) / 1e9;
    System.out.printf("%s: %d MB, %.0f MB/s%n", what, MEGABYTES, MEGABYTES / seconds);
  }
}
