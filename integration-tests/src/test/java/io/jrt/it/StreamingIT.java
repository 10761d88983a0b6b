package io.jrt.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrt.cri.v1.AttachRequest;
import io.jrt.cri.v1.ContainerConfig;
import io.jrt.cri.v1.ExecRequest;
import io.jrt.cri.v1.NamespaceMode;
import io.jrt.cri.v1.PodSandboxConfig;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Exec, attach and port-forward through a whole daemon: what they cost it, and what outlives it.
 * {@code -Djrt.test.stream.mb=5000} and {@code -Djrt.test.rounds=50000} make it the long run.
 */
@Timeout(1800)
@SuppressWarnings("NullAway.Init") // each test begins with start
class StreamingIT {
  private static final long BYTES = Long.getLong("jrt.test.stream.mb", 300) << 20;
  private static final int ROUNDS = Integer.getInteger("jrt.test.rounds", 400);
  private static final long MEGABYTE = 1 << 20;
  private Daemon daemon;
  private Cri cri;
  private PodSandboxConfig pod;
  private String podId;
  private String image;

  private void start(String config) throws Exception {
    daemon = Daemon.start(config + Daemon.ownRange());
    cri = daemon.cri();
    image = daemon.bundledImage();
    pod = Cri.pod("stream", NamespaceMode.POD, daemon.home().resolve("logs")).build();
    podId = cri.runPod(pod);
  }

  private String run(ContainerConfig.Builder container) {
    return cri.run(podId, pod, container.build());
  }

  @AfterEach
  void stop() throws IOException {
    daemon.close();
  }

  @Test
  void muchThroughExecTakesLittleMemory() throws Exception {
    start("");
    String id = run(Cri.container("c", image, "sleep", "100000"));
    assertThat(exec(id, 200 * MEGABYTE)).isEqualTo(200 * MEGABYTE);
    try (Watch memory = Watch.of(daemon.pid())) {
      long began = System.nanoTime();
      assertThat(exec(id, BYTES)).isEqualTo(BYTES);
      tell("exec", BYTES, began, memory);
      assertThat(memory.growth()).isLessThan(32 * MEGABYTE);
    }
  }

  private long exec(String id, long bytes) throws Exception {
    Process client =
        daemon.client("exec", id, "head", "-c", Long.toString(bytes), "/dev/zero").start();
    long count = count(client.getInputStream());
    assertThat(client.waitFor()).isZero();
    return count;
  }

  @Test
  void muchThroughPortForwardTakesLittleMemory() throws Exception {
    start("");
    run(Cri.container("c", image, "sh", "-c", "while :; do nc -l -p 9000 </dev/zero; done"));
    Process client = daemon.client("port-forward", podId, ":9000").start();
    try {
      String line = client.inputReader().readLine();
      assertThat(line).contains(" to 9000");
      int port = Integer.parseInt(line.replaceFirst(".*:(\\d+) to .*", "$1"));
      assertThat(read(port, 200 * MEGABYTE)).isEqualTo(200 * MEGABYTE);
      try (Watch memory = Watch.of(daemon.pid())) {
        long began = System.nanoTime();
        assertThat(read(port, BYTES)).isEqualTo(BYTES);
        tell("port-forward", BYTES, began, memory);
        assertThat(memory.growth()).isLessThan(32 * MEGABYTE);
      }
    } finally {
      client.destroy();
      client.waitFor();
    }
  }

  private static long read(int port, long bytes) throws IOException {
    // The listener in the pod comes back a moment after each connection.
    long end = System.nanoTime() + 20_000_000_000L;
    while (true) {
      long count = 0;
      try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
        InputStream in = socket.getInputStream();
        byte[] buffer = new byte[1 << 17];
        int n = 0;
        while (n >= 0 && count < bytes) {
          n = in.read(buffer, 0, (int) Math.min(buffer.length, bytes - count));
          count += Math.max(0, n);
        }
      } catch (IOException e) {
        if (System.nanoTime() > end) {
          throw e;
        }
      }
      if (count > 0 || System.nanoTime() > end) {
        return count;
      }
      Daemon.sleep(50);
    }
  }

  @Test
  void aForwardedConnectionDoesNotBlockTheDaemon() throws Exception {
    start("");
    run(Cri.container("c", image, "sh", "-c", "while :; do nc -l -p 9000 </dev/zero; done"));
    Process client = daemon.client("port-forward", podId, ":9000").start();
    try {
      String line = client.inputReader().readLine();
      int port = Integer.parseInt(line.replaceFirst(".*:(\\d+) to .*", "$1"));
      Set<Path> before = descriptors(daemon.pid());
      try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
        assertThat(socket.getInputStream().readNBytes(100)).hasSize(100);
        int sockets = 0;
        for (Path one : descriptors(daemon.pid())) {
          if (!before.contains(one) && target(one).startsWith("socket:")) {
            sockets++;
            assertThat(flags(one) & 04000).as("O_NONBLOCK of %s", one).isNotZero();
          }
        }
        assertThat(sockets).isPositive();
      }
    } finally {
      client.destroy();
      client.waitFor();
    }
  }

  @Test
  void attachesAndResizesLeaveNothingBehind() throws Exception {
    start("");
    String id = run(Cri.container("c", image, "sh").setTty(true).setStdin(true));
    try (HttpClient http = Streamed.client();
        ExecutorService four = Executors.newFixedThreadPool(4)) {
      rounds(four, http, id, 200);
      long threads = settled(() -> tasks(daemon.pid()), 0);
      long descriptors = settled(() -> descriptors(daemon.pid()).size(), 0);
      long began = System.nanoTime();
      rounds(four, http, id, ROUNDS);
      double seconds = (System.nanoTime() - began) / 1e9;
      // A thread or descriptor of the machinery may come and go; one for each round does not.
      long leftThreads = settled(() -> tasks(daemon.pid()), threads);
      long leftDescriptors = settled(() -> descriptors(daemon.pid()).size(), descriptors);
      System.out.printf(
          "%d attaches with resizes: %.0f/s, threads %d to %d, descriptors %d to %d%n",
          ROUNDS, ROUNDS / seconds, threads, leftThreads, descriptors, leftDescriptors);
      assertThat(leftThreads - threads).isLessThanOrEqualTo(6);
      assertThat(leftDescriptors - descriptors).isLessThanOrEqualTo(6);
      // The container is none the worse for it.
      try (Streamed last = Streamed.open(http, attachUrl(id, true))) {
        last.send(Streamed.STDIN, "echo still-$((40 + 2))\n");
        last.awaitText("still-42");
      }
    }
  }

  private void rounds(ExecutorService executor, HttpClient http, String id, int count)
      throws Exception {
    AtomicLong next = new AtomicLong();
    List<Future<?>> workers = new ArrayList<>();
    for (int w = 0; w < 4; w++) {
      workers.add(
          executor.submit(
              () -> {
                for (long i = next.getAndIncrement(); i < count; i = next.getAndIncrement()) {
                  try (Streamed one = Streamed.open(http, attachUrl(id, true))) {
                    one.send(
                        Streamed.RESIZE,
                        "{\"Width\":%d,\"Height\":%d}\n".formatted(40 + i % 100, 10 + i % 50));
                    one.send(Streamed.RESIZE, "{\"Width\":80,\"Height\":24}\n");
                    // Some leave before they are joined.
                    if (i % 3 != 0) {
                      one.awaitJoined();
                    }
                    if (i % 2 == 0) {
                      one.vanish();
                    }
                  }
                }
                return null;
              }));
    }
    for (Future<?> worker : workers) {
      worker.get();
    }
  }

  @Test
  void whoAttachesAfterARestartTalksToTheSameProcess() throws Exception {
    start("");
    String id = run(Cri.container("c", image, "sh").setTty(true).setStdin(true));
    String pipes =
        run(
            Cri.container("p", image, "sh", "-c", "while read line; do echo got $line; done")
                .setStdin(true));
    try (HttpClient http = Streamed.client()) {
      try (Streamed before = Streamed.open(http, attachUrl(id, true))) {
        before.send(Streamed.STDIN, "kept=before\n");
        before.send(Streamed.STDIN, "echo set-$((1 + 1))\n");
        before.awaitText("set-2");
        daemon.kill();
        before.awaitClose();
      }
      daemon.restart();
      cri = daemon.cri();
      try (Streamed after = Streamed.open(http, attachUrl(id, true));
          Streamed other = Streamed.open(http, attachUrl(id, true))) {
        other.awaitJoined();
        after.send(Streamed.RESIZE, "{\"Width\":91,\"Height\":33}\n");
        after.send(Streamed.STDIN, "echo $kept-$((2 + 2)); stty size\n");
        after.awaitText("before-4");
        after.awaitText("33 91");
        other.awaitText("before-4");
      }
      try (Streamed after = Streamed.open(http, attachUrl(pipes, false))) {
        after.send(Streamed.STDIN, "again\n");
        after.awaitText("got again");
      }
    }
  }

  @Test
  void aConnectionWithoutAByteIsClosed() throws Exception {
    start("streaming.idle-timeout = '2s'\n");
    String id = run(Cri.container("c", image, "sh").setTty(true).setStdin(true));
    try (HttpClient http = Streamed.client();
        Streamed silent = Streamed.open(http, attachUrl(id, true));
        Streamed busy =
            Streamed.open(
                http,
                execUrl(id, "for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 1; done; echo over"))) {
      silent.awaitClose();
      busy.awaitText("over");
    }
  }

  @Test
  void withACertificateStreamsAreEncrypted(@TempDir Path keys) throws Exception {
    ServerKey key = ServerKey.make(keys);
    start(
        "streaming.tls-certificate = '%s'\nstreaming.tls-key = '%s'\n"
            .formatted(key.certificate(), key.key()));
    String id = run(Cri.container("c", image, "sh").setTty(true).setStdin(true));
    URI url = attachUrl(id, true);
    assertThat(url.getScheme()).isEqualTo("https");
    try (HttpClient http = HttpClient.newBuilder().sslContext(key.trusting()).build();
        Streamed client = Streamed.open(http, url)) {
      client.send(Streamed.STDIN, "echo over-$((4 + 4))\n");
      client.awaitText("over-8");
    }
    URI plain = URI.create(attachUrl(id, true).toString().replaceFirst("https", "http"));
    try (HttpClient http = Streamed.client()) {
      assertThatThrownBy(() -> Streamed.open(http, plain)).isNotNull();
    }
    try (HttpClient http = Streamed.client()) {
      URI again = attachUrl(id, true);
      assertThatThrownBy(() -> Streamed.open(http, again)).hasMessageContaining("certificat");
    }
    // The command line knows the certificate from the daemon's own socket.
    assertThat(daemon.jrt("exec", id, "sh", "-c", "echo exec-$((5 + 5))").ok())
        .isEqualTo("exec-10\n");
  }

  private URI attachUrl(String id, boolean tty) {
    return URI.create(
        cri.runtime()
            .attach(
                AttachRequest.newBuilder()
                    .setContainerId(id)
                    .setStdin(true)
                    .setStdout(true)
                    .setStderr(!tty)
                    .setTty(tty)
                    .build())
            .getUrl());
  }

  private URI execUrl(String id, String script) {
    return URI.create(
        cri.runtime()
            .exec(
                ExecRequest.newBuilder()
                    .setContainerId(id)
                    .addAllCmd(List.of("sh", "-c", script))
                    .setStdout(true)
                    .build())
            .getUrl());
  }

  private static long count(InputStream in) throws IOException {
    byte[] buffer = new byte[1 << 17];
    long count = 0;
    for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
      count += n;
    }
    return count;
  }

  private static void tell(String what, long bytes, long began, Watch memory) {
    double seconds = (System.nanoTime() - began) / 1e9;
    System.out.printf(
        "%s: %d MB at %.0f MB/s, the daemon grew by %.1f MB%n",
        what, bytes >> 20, bytes / seconds / MEGABYTE, memory.growth() / (double) MEGABYTE);
  }

  /** The number when it is down to what it should be, or after ten seconds. */
  private static long settled(Count count, long wanted) throws IOException {
    long end = System.nanoTime() + 10_000_000_000L;
    long now = count.now();
    while (now > wanted && System.nanoTime() < end) {
      Daemon.sleep(200);
      now = Math.min(now, count.now());
    }
    return now;
  }

  private interface Count {
    long now() throws IOException;
  }

  private static long tasks(long pid) throws IOException {
    try (Stream<Path> all = Files.list(Path.of("/proc", Long.toString(pid), "task"))) {
      return all.count();
    }
  }

  private static Set<Path> descriptors(long pid) throws IOException {
    try (Stream<Path> all = Files.list(Path.of("/proc", Long.toString(pid), "fd"))) {
      return all.collect(Collectors.toSet());
    }
  }

  private static String target(Path descriptor) {
    try {
      return Files.readSymbolicLink(descriptor).toString();
    } catch (IOException closed) {
      return "";
    }
  }

  private static int flags(Path descriptor) throws IOException {
    Path info = descriptor.resolveSibling("../fdinfo").resolve(descriptor.getFileName());
    return Files.readAllLines(info).stream()
        .filter(line -> line.startsWith("flags:"))
        .map(line -> Integer.parseInt(line.substring("flags:".length()).strip(), 8))
        .findFirst()
        .orElseThrow();
  }

  /** Looks at a process's memory ten times a second: pages of files are not counted. */
  private static final class Watch implements AutoCloseable {
    private final long pid;
    private final long before;
    private final AtomicLong peak;
    private final Thread watcher;

    private Watch(long pid, long before) {
      this.pid = pid;
      this.before = before;
      this.peak = new AtomicLong(before);
      this.watcher = Thread.ofVirtual().start(this::watch);
    }

    static Watch of(long pid) throws IOException {
      return new Watch(pid, memory(pid));
    }

    private void watch() {
      try {
        while (true) {
          peak.accumulateAndGet(memory(pid), Math::max);
          Thread.sleep(100);
        }
      } catch (InterruptedException | IOException e) {
        Thread.currentThread().interrupt();
      }
    }

    private static long memory(long pid) throws IOException {
      for (String line : Files.readAllLines(Path.of("/proc", Long.toString(pid), "status"))) {
        if (line.startsWith("RssAnon:")) {
          return Long.parseLong(line.replaceAll("\\D", "")) << 10;
        }
      }
      throw new IOException("no RssAnon of " + pid);
    }

    long growth() {
      return peak.get() - before;
    }

    @Override
    public void close() {
      watcher.interrupt();
      try {
        watcher.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
