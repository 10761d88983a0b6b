package io.jrt.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.jrt.cri.v1.ContainerState;
import io.jrt.cri.v1.ExecSyncRequest;
import io.jrt.cri.v1.ExecSyncResponse;
import io.jrt.cri.v1.NamespaceMode;
import io.jrt.cri.v1.PodSandboxConfig;
import io.jrt.cri.v1.RuntimeServiceGrpc;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Nodes that are full and busy: probes, comings and goings, loud commands, and floods of logs.
 * Errors, leaks and a daemon that grows fail; processor time and delays are printed.
 *
 * <p>Small and for seconds in {@code make test}; by {@code make fault} ({@code -Djrt.fault=full})
 * 110 pods of three containers with a probe of each every second for {@code -Djrt.load.minutes=10}.
 */
@Timeout(3600)
class LoadIT {
  private static final boolean FULL = System.getProperty("jrt.fault", "").equals("full");
  private static final int PODS = Integer.getInteger("jrt.load.pods", FULL ? 110 : 5);
  private static final int CONTAINERS = 3;
  private static final Duration PROBED =
      FULL ? Duration.ofMinutes(Integer.getInteger("jrt.load.minutes", 10)) : Duration.ofSeconds(5);
  private static final int ROUNDS = FULL ? 500 : 24;
  private static final int AT_ONCE = FULL ? 20 : 6;
  private static final int LOUD = FULL ? 40 : 10;
  private static final String PRINT =
      "yes out | head -c 17000000 & yes err | head -c 17000000 >&2; wait; ";
  private static final long FLOOD = FULL ? 4000L << 20 : 200L << 20;

  private Daemon daemon;
  private String image;
  private Path logs;

  @BeforeEach
  void startDaemon() throws IOException, InterruptedException {
    daemon = Daemon.start(Daemon.newHome(), Daemon.ownRange(), Map.of());
    image = daemon.bundledImage();
    logs = daemon.home().resolve("logs");
  }

  @AfterEach
  void stopDaemon() throws IOException {
    daemon.close();
  }

  private PodSandboxConfig pod(String name) {
    return Cri.pod(name, NamespaceMode.POD, logs).build();
  }

  private static void all(List<Future<?>> work) throws Exception {
    for (Future<?> one : work) {
      one.get();
    }
  }

  /** Seconds of processor time of a process so far. */
  private static double processorSeconds(long pid) throws IOException {
    String stat = Files.readString(Path.of("/proc", Long.toString(pid), "stat"));
    String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
    return (Long.parseLong(fields[11]) + Long.parseLong(fields[12])) / 100.0;
  }

  private static String spread(List<Long> nanos) {
    List<Long> sorted = new ArrayList<>(nanos);
    Collections.sort(sorted);
    return "median %.1f ms, 99 %% %.1f ms, most %.1f ms"
        .formatted(
            sorted.get(sorted.size() / 2) / 1e6,
            sorted.get(sorted.size() * 99 / 100) / 1e6,
            sorted.getLast() / 1e6);
  }

  @Test
  void eachContainerIsProbedEverySecondAndNoProbeFails() throws Exception {
    List<String> containers = Collections.synchronizedList(new ArrayList<>());
    List<Future<?>> starts = new ArrayList<>();
    try (ExecutorService executor = Executors.newFixedThreadPool(8)) {
      for (int i = 0; i < PODS; i++) {
        PodSandboxConfig config = pod("p" + i);
        starts.add(
            executor.submit(
                () -> {
                  String pod = daemon.cri().runPod(config);
                  for (int c = 0; c < CONTAINERS; c++) {
                    containers.add(
                        daemon
                            .cri()
                            .run(
                                pod,
                                config,
                                Cri.container("c" + c, image, "sleep", "100000").build()));
                  }
                }));
      }
    }
    all(starts);
    ConcurrentLinkedQueue<Long> delays = new ConcurrentLinkedQueue<>();
    double before = processorSeconds(daemon.pid());
    long began = System.nanoTime();
    long end = began + PROBED.toNanos();
    long most = 0;
    List<Future<?>> probes = new ArrayList<>();
    try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      for (String container : containers) {
        probes.add(executor.submit(() -> probe(container, end, delays)));
      }
      while (System.nanoTime() < end) {
        Daemon.sleep(1000);
        most = Math.max(most, Remains.residentBytes(daemon.pid()));
      }
    }
    all(probes);
    double seconds = (System.nanoTime() - began) / 1e9;
    System.out.printf(
        "%d pods, %d containers, %d probes in %.0f s, none failed; a probe took: %s; RSS at most"
            + " %d MB; %.2f processors%n",
        PODS,
        containers.size(),
        delays.size(),
        seconds,
        spread(List.copyOf(delays)),
        most >> 20,
        (processorSeconds(daemon.pid()) - before) / seconds);
    assertThat(most).as("resident at most").isLessThan(220L << 20);
    for (String container : containers) {
      assertThat(daemon.cri().status(container).getState())
          .isEqualTo(ContainerState.CONTAINER_RUNNING);
    }
  }

  private void probe(String container, long end, ConcurrentLinkedQueue<Long> delays) {
    while (System.nanoTime() < end) {
      long began = System.nanoTime();
      assertThat(daemon.cri().exec(container, "true").getExitCode()).isZero();
      long took = System.nanoTime() - began;
      delays.add(took);
      Daemon.sleep(Math.max(0, 1000 - TimeUnit.NANOSECONDS.toMillis(took)));
    }
  }

  @Test
  void podsThatComeAndGoLeaveNothing() throws Exception {
    // The first ones make what stays: threads, pools, files that are kept open.
    comeAndGo("warm", AT_ONCE);
    assertThat(Remains.besidesImages(daemon)).isEmpty();
    long descriptors = Remains.descriptors(daemon.pid());
    long memory = Remains.residentBytes(daemon.pid());
    long began = System.nanoTime();
    comeAndGo("round", ROUNDS);
    double seconds = (System.nanoTime() - began) / 1e9;
    assertThat(Remains.besidesImages(daemon)).isEmpty();
    assertThat(Remains.descriptors(daemon.pid())).as("descriptors").isLessThan(descriptors + 12);
    System.out.printf(
        "%d rounds, %d at once, in %.1f s; RSS from %d to %d MB; nothing left%n",
        ROUNDS, AT_ONCE, seconds, memory >> 20, Remains.residentBytes(daemon.pid()) >> 20);
  }

  private void comeAndGo(String name, int rounds) throws Exception {
    List<Future<?>> work = new ArrayList<>();
    Semaphore places = new Semaphore(AT_ONCE);
    try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < rounds; i++) {
        PodSandboxConfig config = pod(name + i);
        places.acquire();
        work.add(
            executor.submit(
                () -> {
                  try {
                    Cri cri = daemon.cri();
                    String pod = cri.runPod(config);
                    String id =
                        cri.run(
                            pod,
                            config,
                            Cri.container(
                                    "c",
                                    image,
                                    "sh",
                                    "-c",
                                    "trap 'exit 3' TERM; echo up; "
                                        + "while :; do usleep 20000; done")
                                .build());
                    awaitLine(logs.resolve(config.getMetadata().getName()).resolve("c.log"));
                    cri.stop(id, 30);
                    assertThat(cri.awaitExit(id).getExitCode()).isEqualTo(3);
                    cri.removePod(pod);
                  } finally {
                    places.release();
                  }
                  return null;
                }));
      }
    }
    all(work);
  }

  private static void awaitLine(Path log) throws IOException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (!Files.exists(log) || Files.size(log) == 0) {
      assertThat(System.nanoTime()).as("no line in %s", log).isLessThan(end);
      Daemon.sleep(10);
    }
  }

  @Test
  void aFloodOfLogsHoldsNobodyElseUp() throws Exception {
    PodSandboxConfig flooding = pod("flooding");
    String floodingPod = daemon.cri().runPod(flooding);
    PodSandboxConfig quiet = pod("quiet");
    String quietPod = daemon.cri().runPod(quiet);
    String ticks = "i=0; while [ ! -e /stop ]; do echo $i; i=$((i+1)); usleep 20000; done";
    String ticking =
        daemon.cri().run(quietPod, quiet, Cri.container("ticks", image, "sh", "-c", ticks).build());
    // Made first, so that what makes it is not what limits the flood.
    String floods =
        "yes %s | head -c %d > /lines; cat%s"
            .formatted("x".repeat(999), FLOOD / 20, " /lines".repeat(20));
    String flood =
        daemon
            .cri()
            .run(floodingPod, flooding, Cri.container("flood", image, "sh", "-c", floods).build());
    awaitLine(logs.resolve("flooding/flood.log"));
    long began = System.nanoTime();
    List<Long> probes = new ArrayList<>();
    while (daemon.cri().status(flood).getState() == ContainerState.CONTAINER_RUNNING) {
      long asked = System.nanoTime();
      assertThat(daemon.cri().exec(ticking, "true").getExitCode()).isZero();
      probes.add(System.nanoTime() - asked);
      Daemon.sleep(50);
    }
    double seconds = (System.nanoTime() - began) / 1e9;
    assertThat(daemon.cri().awaitExit(flood).getExitCode()).isZero();
    daemon.cri().exec(ticking, "touch", "/stop");
    assertThat(daemon.cri().awaitExit(ticking).getExitCode()).isZero();
    assertThat(output(logs.resolve("flooding/flood.log"))).as("bytes in the log").isEqualTo(FLOOD);
    System.out.printf(
        "%d MB of log in %.1f s, %.0f MB/s; meanwhile a probe beside it took: %s; from one line of"
            + " a quiet container to the next: %s%n",
        FLOOD >> 20,
        seconds,
        FLOOD / seconds / (1 << 20),
        spread(probes),
        spread(gaps(logs.resolve("quiet/ticks.log"))));
  }

  @Test
  void commandsThatPrintMuchAtOnceAreAllAnswered() throws Exception {
    PodSandboxConfig config = pod("loud");
    String pod = daemon.cri().runPod(config);
    String id = daemon.cri().run(pod, config, Cri.container("c", image, "sleep", "100000").build());
    long pid = daemon.pid();
    // What stays for good is there afterwards.
    loud(id);
    long before = Remains.residentBytes(pid);
    List<Future<?>> work = new ArrayList<>();
    try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < LOUD; i++) {
        work.add(executor.submit(() -> loud(id)));
      }
    }
    all(work);
    assertThat(daemon.hasEnded()).as("the daemon has died").isFalse();
    long most = Remains.residentBytes(pid);
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    long after = most;
    while (after > before + (96 << 20) && System.nanoTime() < end) {
      Daemon.sleep(100);
      after = Remains.residentBytes(pid);
    }
    System.out.printf(
        "%d commands that print 34 MB each: RSS before %d MB, right after %d MB, then %d MB%n",
        LOUD, before >> 20, most >> 20, after >> 20);
    assertThat(after).as("resident afterwards").isLessThanOrEqualTo(before + (96 << 20));
    Remains.awaitClosed(pid, kept());
  }

  @Test
  void whoDoesNotReadALargeAnswerHoldsUpNoOther() throws Exception {
    PodSandboxConfig config = pod("unread");
    String pod = daemon.cri().runPod(config);
    String id = daemon.cri().run(pod, config, Cri.container("c", image, "sleep", "100000").build());
    ExecSyncRequest request =
        ExecSyncRequest.newBuilder()
            .setContainerId(id)
            .addAllCmd(List.of("sh", "-c", PRINT + "touch /tmp/printed"))
            .build();
    try (Cri other = new Cri(daemon.socket())) {
      var unread = other.call(RuntimeServiceGrpc.getExecSyncMethod());
      unread.start(new ClientCall.Listener<>() {}, new Metadata());
      unread.sendMessage(request);
      unread.halfClose();
      while (daemon.cri().exec(id, "test", "-e", "/tmp/printed").getExitCode() != 0) {
        Daemon.sleep(50);
      }
      Daemon.sleep(500); // for its turn
      loud(id);
      Daemon.sleep(500); // for what was read to be closed
      assertThat(Remains.descriptorsOf(daemon.pid(), kept())).as("what is not read").hasSize(2);
      unread.cancel("enough", null);
    }
    Remains.awaitClosed(daemon.pid(), kept());
  }

  /** How the files without a name begin in which outputs lie that are not answered yet. */
  private String kept() {
    return daemon.home() + "/root/#";
  }

  /** A command that prints more than is kept, of both streams. */
  private void loud(String container) {
    ExecSyncResponse answer = daemon.cri().exec(container, "sh", "-c", PRINT + "exit 3");
    assertThat(answer.getExitCode()).isEqualTo(3);
    assertThat(answer.getStdout().size()).isEqualTo(16 << 20);
    assertThat(answer.getStderr().size()).isEqualTo(16 << 20);
    assertThat(answer.getStdout().substring(0, 8).toStringUtf8()).isEqualTo("out\nout\n");
    assertThat(answer.getStderr().substring(0, 8).toStringUtf8()).isEqualTo("err\nerr\n");
  }

  /** How many bytes a container wrote, by its log. */
  private static long output(Path log) throws IOException {
    long bytes = 0;
    try (BufferedReader lines = Files.newBufferedReader(log, StandardCharsets.ISO_8859_1)) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        String[] fields = line.split(" ", 4);
        bytes += fields[3].length() + (fields[2].equals("F") ? 1 : 0);
      }
    }
    return bytes;
  }

  /** The time from each line to the next, of which none may miss. */
  private static List<Long> gaps(Path log) throws IOException {
    List<Long> gaps = new ArrayList<>();
    Instant before = Instant.MAX;
    int number = 0;
    for (String line : Files.readAllLines(log)) {
      String[] fields = line.split(" ", 4);
      assertThat(fields[3]).as("line of %s", log).isEqualTo(Integer.toString(number++));
      Instant at = OffsetDateTime.parse(fields[0]).toInstant();
      gaps.add(before.equals(Instant.MAX) ? 0 : Duration.between(before, at).toNanos());
      before = at;
    }
    return gaps;
  }
}
