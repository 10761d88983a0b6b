package io.jrt.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.jrt.cri.v1.ContainerEventResponse;
import io.jrt.cri.v1.ContainerEventType;
import io.jrt.cri.v1.ContainerState;
import io.jrt.cri.v1.ContainerStatus;
import io.jrt.cri.v1.ExecSyncResponse;
import io.jrt.cri.v1.GetEventsRequest;
import io.jrt.cri.v1.NamespaceMode;
import io.jrt.cri.v1.PodSandboxConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The daemon is replaced, politely and by force, under many running pods that write logs and are
 * looked at: no container notices, and no line is lost or doubled. How long it takes to be ready
 * again is printed.
 *
 * <p>A dozen pods in {@code make test}, 110 of them by {@code make fault} ({@code
 * -Djrt.fault=full}); as many as one likes, of several containers, by {@code -Djrt.restart.pods=}
 * and {@code -Djrt.restart.containers=}.
 */
@Timeout(1200)
class RestartIT {
  private static final boolean FULL = System.getProperty("jrt.fault", "").equals("full");
  private static final int PODS = Integer.getInteger("jrt.restart.pods", FULL ? 110 : 12);
  private static final int CONTAINERS = Integer.getInteger("jrt.restart.containers", 1);
  private static final int RESTARTS = FULL ? 6 : 2;
  private static final int EXECS = 3;

  private final long seed = Long.getLong("jrt.seed", System.nanoTime());
  private Daemon daemon;
  private String image;

  /** A container that counts. */
  private record Counting(String pod, String id, Path log, ContainerStatus before) {}

  @BeforeEach
  void startDaemon() throws IOException, InterruptedException {
    daemon = Daemon.start(Daemon.newHome(), Daemon.ownRange(), Map.of());
    image = daemon.bundledImage();
  }

  @AfterEach
  void stopDaemon() throws IOException {
    daemon.close();
  }

  @Test
  void noContainerNoticesThatTheDaemonIsReplaced() throws Exception {
    System.out.println("seed " + seed);
    Random random = new Random(seed);
    List<Counting> all = startAll();
    AtomicBoolean over = new AtomicBoolean();
    AtomicInteger execs = new AtomicInteger();
    List<Future<?>> lookers = new ArrayList<>();
    List<Double> seconds = new ArrayList<>();
    try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      try {
        for (int i = 0; i < EXECS; i++) {
          Random own = new Random(random.nextLong());
          lookers.add(executor.submit(() -> lookIn(all, own, over, execs)));
        }
        for (int i = 0; i < RESTARTS; i++) {
          Daemon.sleep(500 + random.nextInt(1000));
          seconds.add(replace(i % 2 == 0));
          checkUntouched(all);
        }
      } finally {
        over.set(true);
      }
    }
    for (Future<?> looker : lookers) {
      looker.get();
    }
    Map<String, List<ContainerEventType>> events = stopAll(all);
    int lines = 0;
    for (Counting one : all) {
      assertThat(daemon.cri().status(one.id()).getExitCode()).as("exit code").isEqualTo(7);
      lines += checkLog(one.log());
      assertThat(events.get(one.id()))
          .as("events of %s since the last restart", one.id())
          .containsExactly(ContainerEventType.CONTAINER_STOPPED_EVENT);
    }
    daemon
        .output()
        .lines()
        .filter(line -> line.contains("\"recovered ") || line.contains(" serves "))
        .forEach(System.out::println);
    System.out.printf(
        "pods %d, containers of each %d, restarts %d, ready after %s s, commands meanwhile %d, log"
            + " lines %d, RSS %d MB; containers restarted 0, lines lost 0%n",
        PODS,
        CONTAINERS,
        RESTARTS,
        seconds,
        execs.get(),
        lines,
        Remains.residentBytes(daemon.pid()) >> 20);
  }

  private List<Counting> startAll() throws Exception {
    // It waits by a read that finds nothing: 110 shells that fork a sleep 20 times a second take a
    // whole processor, and it is the daemon's time that is looked at.
    String script =
        "trap 'echo end; exit 7' TERM; mkfifo /tmp/never; exec 3<>/tmp/never; i=0;"
            + " while :; do echo line $i; i=$((i+1)); read -t 0.05 x <&3; done";
    Path logs = daemon.home().resolve("logs");
    List<Future<List<Counting>>> starts = new ArrayList<>();
    try (ExecutorService executor = Executors.newFixedThreadPool(8)) {
      for (int i = 0; i < PODS; i++) {
        String name = "p" + i;
        PodSandboxConfig config =
            Cri.pod(name, i % 2 == 0 ? NamespaceMode.POD : NamespaceMode.NODE, logs).build();
        starts.add(
            executor.submit(
                () -> {
                  Cri cri = daemon.cri();
                  String pod = cri.runPod(config);
                  List<Counting> started = new ArrayList<>();
                  for (int c = 0; c < CONTAINERS; c++) {
                    var container = Cri.container("c" + c, image, "sh", "-c", script).build();
                    String id = cri.run(pod, config, container);
                    Path log = logs.resolve(name).resolve("c" + c + ".log");
                    started.add(new Counting(pod, id, log, cri.status(id)));
                  }
                  return started;
                }));
      }
    }
    List<Counting> all = new ArrayList<>();
    for (Future<List<Counting>> start : starts) {
      all.addAll(start.get());
    }
    return all;
  }

  /** Answers how many seconds it took until the next daemon was there. */
  private double replace(boolean politely) {
    if (politely) {
      daemon.terminate();
    } else {
      daemon.kill();
    }
    long began = System.nanoTime();
    daemon.restart();
    return Math.round((System.nanoTime() - began) / 1e7) / 100.0;
  }

  private void checkUntouched(List<Counting> all) {
    for (Counting one : all) {
      ContainerStatus now = daemon.cri().status(one.id());
      assertThat(now.getState()).as("%s", now).isEqualTo(ContainerState.CONTAINER_RUNNING);
      assertThat(now.getStartedAt()).isEqualTo(one.before().getStartedAt());
    }
  }

  /** Commands in containers all the while; only the daemon's going may end one. */
  private Void lookIn(List<Counting> all, Random random, AtomicBoolean over, AtomicInteger count) {
    while (!over.get()) {
      Counting one = all.get(random.nextInt(all.size()));
      try {
        ExecSyncResponse answer = daemon.cri().exec(one.id(), "sh", "-c", "echo $$; exit 5");
        assertThat(answer.getExitCode()).isEqualTo(5);
        assertThat(answer.getStdout().toStringUtf8()).matches("\\d+\n");
        count.incrementAndGet();
      } catch (StatusRuntimeException e) {
        assertThat(e.getStatus().getCode())
            .as("%s", e.getMessage())
            .isIn(Status.Code.UNAVAILABLE, Status.Code.CANCELLED);
        Daemon.sleep(20);
      }
    }
    return null;
  }

  /** Ends all of them; the events that a reader of this daemon saw. */
  private Map<String, List<ContainerEventType>> stopAll(List<Counting> all) throws Exception {
    ConcurrentLinkedQueue<ContainerEventResponse> seen = new ConcurrentLinkedQueue<>();
    Cri cri = daemon.cri();
    Iterator<ContainerEventResponse> stream =
        cri.runtime().getContainerEvents(GetEventsRequest.getDefaultInstance());
    Thread reader =
        Thread.ofVirtual()
            .start(
                () -> {
                  int stopped = 0;
                  while (stopped < all.size() && stream.hasNext()) {
                    ContainerEventResponse event = stream.next();
                    seen.add(event);
                    stopped +=
                        event.getContainerEventType() == ContainerEventType.CONTAINER_STOPPED_EVENT
                            ? 1
                            : 0;
                  }
                });
    Daemon.sleep(500); // the daemon does not tell when it has begun to listen
    List<Future<?>> stops = new ArrayList<>();
    try (ExecutorService executor = Executors.newFixedThreadPool(8)) {
      for (Counting one : all) {
        stops.add(executor.submit(() -> cri.stop(one.id(), 60)));
      }
    }
    for (Future<?> stop : stops) {
      stop.get();
    }
    assertThat(reader.join(java.time.Duration.ofSeconds(30))).as("all ends told").isTrue();
    Map<String, List<ContainerEventType>> events = new HashMap<>();
    for (ContainerEventResponse event : seen) {
      // The ends of sandboxes are told like those of containers.
      events
          .computeIfAbsent(event.getContainerId(), _ -> new ArrayList<>())
          .add(event.getContainerEventType());
    }
    return events;
  }

  private static int checkLog(Path log) throws IOException {
    List<String> found =
        Files.readAllLines(log).stream().map(line -> line.split(" ", 4)[3]).toList();
    List<String> expected = new ArrayList<>();
    for (int i = 0; i < found.size() - 1; i++) {
      expected.add("line " + i);
    }
    expected.add("end");
    assertThat(found).as("%s", log).isEqualTo(expected);
    return found.size();
  }
}
