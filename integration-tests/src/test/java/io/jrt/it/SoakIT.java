package io.jrt.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.jrt.cri.v1.ContainerState;
import io.jrt.cri.v1.ContainerStatus;
import io.jrt.cri.v1.ExecSyncResponse;
import io.jrt.cri.v1.ListContainersRequest;
import io.jrt.cri.v1.NamespaceMode;
import io.jrt.cri.v1.PodSandboxConfig;
import io.jrt.cri.v1.RemoveContainerRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Random pods, containers, commands and stops side by side, while the daemon is killed now and
 * then: seconds of it in {@code make test}, as many minutes or hours as one likes by {@code make
 * soak}. Every exit code and every line of every log is checked, and at the end nothing may be
 * left.
 */
@Timeout(100_000)
class SoakIT {
  private static final int LANES = 6;
  private static final int LINES = 200;

  private final long seed = Long.getLong("jrt.seed", System.nanoTime());
  private final Duration length =
      Integer.getInteger("jrt.soak.minutes") == null
          ? Duration.ofSeconds(20)
          : Duration.ofMinutes(Integer.getInteger("jrt.soak.minutes"));
  private final AtomicInteger pods = new AtomicInteger();
  private final AtomicInteger containers = new AtomicInteger();
  private final AtomicInteger commands = new AtomicInteger();
  private final AtomicInteger lines = new AtomicInteger();

  /** Held for reading by each attempt of a call, for writing while the daemon is replaced. */
  private final ReentrantReadWriteLock alive = new ReentrantReadWriteLock();

  private Daemon daemon;
  private String image;

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
  void nothingIsLostAndNothingIsLeft() throws Exception {
    System.out.println("seed " + seed + ", for " + length);
    long end = System.nanoTime() + length.toNanos();
    AtomicBoolean failed = new AtomicBoolean();
    List<Future<?>> lanes = new ArrayList<>();
    int kills = 0;
    try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int lane = 0; lane < LANES; lane++) {
        Random random = new Random(seed + lane);
        String name = "lane" + lane;
        lanes.add(
            executor.submit(
                () -> {
                  try {
                    for (int i = 0; System.nanoTime() < end && !failed.get(); i++) {
                      livePod(name + "-" + i, random);
                    }
                  } catch (Throwable e) {
                    failed.set(true);
                    throw e;
                  }
                  return null;
                }));
      }
      Random random = new Random(seed - 1);
      while (System.nanoTime() < end && !failed.get()) {
        Daemon.sleep(3000 + random.nextInt(8000));
        replace(random.nextInt(4) == 0);
        kills++;
      }
    }
    for (Future<?> lane : lanes) {
      finished(lane);
    }
    System.out.printf(
        "pods %d, containers %d, commands %d, log lines %d, daemons ended %d; nothing lost%n",
        pods.get(), containers.get(), commands.get(), lines.get(), kills);
    assertThat(
            daemon
                .cri()
                .runtime()
                .listContainers(ListContainersRequest.getDefaultInstance())
                .getContainersList())
        .isEmpty();
    daemon.cri().removeEverything();
    assertThat(daemon.leaks().stream().filter(leak -> !leak.startsWith("interface"))).isEmpty();
  }

  private void finished(Future<?> lane) throws InterruptedException {
    try {
      lane.get();
    } catch (ExecutionException e) {
      throw new AssertionError("seed " + seed, e);
    }
  }

  private void replace(boolean politely) {
    alive.writeLock().lock();
    try {
      if (politely) {
        daemon.terminate();
      } else {
        daemon.kill();
      }
      daemon.restart();
    } finally {
      alive.writeLock().unlock();
    }
  }

  /** The call, made again whenever the daemon went away under it. */
  private <T> T insist(Supplier<T> call) {
    while (true) {
      Cri before = daemon.cri();
      try {
        return call.get();
      } catch (StatusRuntimeException e) {
        Status.Code code = e.getStatus().getCode();
        boolean wentAway =
            code == Status.Code.UNAVAILABLE
                || code == Status.Code.CANCELLED
                // How gRPC's client tells it when the connection broke before the call was on it.
                || (code == Status.Code.UNKNOWN
                    && "channel closed".equals(e.getStatus().getDescription()));
        assertThat(wentAway).as("%s", e.getMessage()).isTrue();
        Daemon.sleep(20);
        // Waits for the next daemon, if this one is just being replaced.
        alive.readLock().lock();
        try {
          if (daemon.cri() == before) {
            Daemon.sleep(20);
          }
        } finally {
          alive.readLock().unlock();
        }
      }
    }
  }

  private void livePod(String name, Random random) throws IOException {
    NamespaceMode network = random.nextBoolean() ? NamespaceMode.POD : NamespaceMode.NODE;
    Path logs = daemon.home().resolve("logs");
    PodSandboxConfig config = Cri.pod(name, network, logs).build();
    String pod = insist(() -> daemon.cri().runPod(config));
    pods.incrementAndGet();
    int count = 1 + random.nextInt(3);
    for (int i = 0; i < count; i++) {
      liveContainer(pod, config, "c" + i, logs.resolve(name), random);
    }
    insist(
        () -> {
          daemon.cri().removePod(pod);
          return true;
        });
  }

  private void liveContainer(
      String pod, PodSandboxConfig config, String name, Path logs, Random random)
      throws IOException {
    int code = random.nextInt(120);
    boolean stopped = random.nextInt(3) == 0;
    String script =
        "i=0; while [ $i -lt %d ]; do echo line $i; i=$((i+1)); %s done; echo end; exit %d"
            .formatted(LINES, random.nextBoolean() ? "usleep 2000;" : "", code);
    if (stopped) {
      script =
          "trap 'exit %d' TERM; i=0; while [ $i -lt %d ]; do echo line $i; i=$((i+1)); done;"
                  .formatted(code, LINES)
              + " echo end; while :; do usleep 20000; done";
    }
    String shell = script;
    String container =
        insist(
            () ->
                daemon
                    .cri()
                    .create(pod, config, Cri.container(name, image, "sh", "-c", shell).build()));
    containers.incrementAndGet();
    start(container);
    if (stopped) {
      awaitEnd(logs.resolve(name + ".log"));
      if (random.nextBoolean()) {
        exec(container, random.nextInt(100));
      }
      insist(
          () -> {
            daemon.cri().stop(container, 30);
            return true;
          });
    }
    ContainerStatus status = awaitExit(container);
    assertThat(status.getExitCode())
        .as("%s of %s", name, config.getMetadata().getName())
        .isEqualTo(code);
    checkLog(logs.resolve(name + ".log"));
    if (random.nextBoolean()) {
      insist(
          () ->
              daemon
                  .cri()
                  .runtime()
                  .removeContainer(
                      RemoveContainerRequest.newBuilder().setContainerId(container).build()));
    }
  }

  /** A start whose answer was lost has happened or not: the state tells. */
  private void start(String container) {
    while (true) {
      try {
        daemon.cri().start(container);
        return;
      } catch (StatusRuntimeException e) {
        ContainerState state = insist(() -> daemon.cri().status(container).getState());
        if (state != ContainerState.CONTAINER_CREATED) {
          return;
        }
      }
    }
  }

  private void exec(String container, int code) {
    ExecSyncResponse answer =
        insist(() -> daemon.cri().exec(container, "sh", "-c", "echo out; exit " + code));
    assertThat(answer.getExitCode()).isEqualTo(code);
    assertThat(answer.getStdout().toStringUtf8()).isEqualTo("out\n");
    commands.incrementAndGet();
  }

  private ContainerStatus awaitExit(String container) {
    long end = System.nanoTime() + Duration.ofMinutes(2).toNanos();
    ContainerStatus status = insist(() -> daemon.cri().status(container));
    while (status.getState() != ContainerState.CONTAINER_EXITED) {
      assertThat(System.nanoTime()).as("container does not end: %s", status).isLessThan(end);
      Daemon.sleep(30);
      status = insist(() -> daemon.cri().status(container));
    }
    return status;
  }

  private static void awaitEnd(Path log) throws IOException {
    long end = System.nanoTime() + Duration.ofMinutes(2).toNanos();
    while (!Files.exists(log) || !Files.readString(log).endsWith(" end\n")) {
      assertThat(System.nanoTime()).as("no end in %s", log).isLessThan(end);
      Daemon.sleep(30);
    }
  }

  private void checkLog(Path log) throws IOException {
    List<String> expected = new ArrayList<>();
    for (int i = 0; i < LINES; i++) {
      expected.add("line " + i);
    }
    expected.add("end");
    List<String> found =
        Files.readAllLines(log).stream().map(line -> line.split(" ", 4)[3]).toList();
    assertThat(found).as("%s", log).isEqualTo(expected);
    lines.addAndGet(found.size());
    Files.delete(log);
  }
}
