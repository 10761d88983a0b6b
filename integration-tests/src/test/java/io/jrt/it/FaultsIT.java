package io.jrt.it;

import static java.nio.file.LinkOption.NOFOLLOW_LINKS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.jrt.cri.v1.ContainerStatus;
import io.jrt.cri.v1.NamespaceMode;
import io.jrt.cri.v1.PodSandboxConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Limits that are reached, signals, and processes that somebody kills. */
@Timeout(900)
class FaultsIT extends Faults {
  // Limits ---------------------------------------------------------------------------------------

  @Test
  void withoutThreadsCallsAreRefusedAndNothingElse() throws Exception {
    Daemon daemon = start();
    Counting before = counting(daemon, "before");
    Path logs = daemon.home().resolve("logs");
    try (TaskLimit limit = TaskLimit.of(daemon.pid())) {
      int refused = 0;
      for (int free = 0; free < 8; free++) {
        limit.free(free);
        String name = "many" + free;
        List<Future<Boolean>> tries = new ArrayList<>();
        try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
          for (int i = 0; i < 4; i++) {
            PodSandboxConfig config = Cri.pod(name + i, NamespaceMode.POD, logs).build();
            tries.add(
                executor.submit(
                    () ->
                        refused(
                            () -> {
                              String pod = daemon.cri().runPod(config);
                              daemon
                                  .cri()
                                  .run(
                                      pod,
                                      config,
                                      Cri.container("c", image(), "sleep", "1000").build());
                            })));
          }
        }
        for (Future<Boolean> each : tries) {
          refused += each.get() ? 1 : 0;
        }
        refused(() -> daemon.cri().exec(before.id(), "true"));
        runs(daemon, before);
      }
      assertThat(refused).as("calls that were refused").isPositive();
    }
    Counting after = counting(daemon, "after");
    ends(daemon, after);
    ends(daemon, before);
    daemon.cri().removeEverything();
    // What could not be undone at once is tried again after a while.
    long end = System.nanoTime() + 5 * SOON.toNanos();
    while (!Remains.besidesImages(daemon).isEmpty() && System.nanoTime() < end) {
      Daemon.sleep(200);
    }
    isWhole(daemon);
  }

  @Test
  void withoutDescriptorsCallsAreRefusedAndNothingElse() throws Exception {
    Daemon daemon = start();
    Counting before = counting(daemon, "before");
    command("prlimit", "--pid=" + daemon.pid(), "--nofile=" + limitWithFree(daemon.pid(), 3) + ":");
    Path logs = daemon.home().resolve("logs");
    List<Future<Boolean>> tries = new ArrayList<>();
    try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 8; i++) {
        PodSandboxConfig config = Cri.pod("many" + i, NamespaceMode.POD, logs).build();
        tries.add(executor.submit(() -> refused(() -> daemon.cri().runPod(config))));
      }
    }
    int refused = 0;
    for (Future<Boolean> each : tries) {
      refused += each.get() ? 1 : 0;
    }
    assertThat(refused).as("pods that were refused").isPositive();
    runs(daemon, before);
    command("prlimit", "--pid=" + daemon.pid(), "--nofile=4096:");
    Counting after = counting(daemon, "after");
    ends(daemon, after);
    ends(daemon, before);
    daemon.cri().removeEverything();
    isWhole(daemon);
  }

  /** A limit below which so many numbers of descriptors are free. */
  private static int limitWithFree(long pid, int free) {
    int limit = 0;
    for (int left = free; left > 0; limit++) {
      left -= Files.exists(Path.of("/proc/" + pid + "/fd/" + limit), NOFOLLOW_LINKS) ? 0 : 1;
    }
    return limit;
  }

  @Test
  void aDaemonWithoutMemoryEndsAndItsContainersDoNot() throws Exception {
    Daemon daemon = start(Daemon.newHome(), Map.of("JRTD_OPTS", "-Xmx28m"));
    Counting before = counting(daemon, "before");
    Path logs = daemon.home().resolve("logs");
    String much = "x".repeat(10 << 20);
    long end = System.nanoTime() + SOON.toNanos();
    while (!daemon.hasEnded()) {
      assertThat(System.nanoTime()).as("requests too large for it").isLessThan(end);
      List<Future<Boolean>> requests = new ArrayList<>();
      try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
        for (int i = 0; i < 4; i++) {
          PodSandboxConfig config =
              Cri.pod("large", NamespaceMode.NODE, logs).putAnnotations("much", much).build();
          requests.add(executor.submit(() -> refused(() -> daemon.cri().runPod(config))));
        }
      }
      for (Future<Boolean> request : requests) {
        request.get();
      }
    }
    assertThat(daemon.exitValue()).as("%s", daemon.output()).isEqualTo(3);
    daemon.restart();
    runs(daemon, before);
    ends(daemon, before);
    daemon.cri().removeEverything();
    isWhole(daemon);
  }

  // Signals and killings -------------------------------------------------------------------------

  @Test
  void hangUpsAreHarmlessAtAnyTimeAndTerminationIsClean() throws Exception {
    System.out.println("seed " + seed);
    Random random = new Random(seed);
    Daemon daemon = start();
    Counting before = counting(daemon, "before");
    for (int round = 0; round < (FULL ? 20 : 2); round++) {
      Path logs = daemon.home().resolve("logs");
      String name = "r" + round;
      try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
        Future<?> life =
            executor.submit(
                () -> {
                  PodSandboxConfig config = Cri.pod(name, NamespaceMode.POD, logs).build();
                  String pod = daemon.cri().runPod(config);
                  daemon
                      .cri()
                      .run(pod, config, Cri.container("c", image(), "sleep", "1000").build());
                  daemon.cri().removePod(pod);
                });
        while (!life.isDone()) {
          command("kill", "-HUP", Long.toString(daemon.pid()));
          Daemon.sleep(10 + random.nextInt(50));
        }
        life.get();
        // In the middle of the next one the daemon is asked to end.
        PodSandboxConfig config = Cri.pod(name + "b", NamespaceMode.POD, logs).build();
        Future<?> cut =
            executor.submit(
                () -> {
                  try {
                    daemon.cri().runPod(config);
                  } catch (StatusRuntimeException e) {
                    assertThat(e.getStatus().getCode())
                        .isIn(Status.Code.UNAVAILABLE, Status.Code.CANCELLED);
                  }
                });
        Daemon.sleep(random.nextInt(30));
        daemon.terminate();
        cut.get();
      }
      assertThat(daemon.exitValue()).as("%s", daemon.output()).isIn(0, 143);
      // One that is hung up on while it starts serves, or ends and leaves nothing.
      Process starting = daemon.launchOnly();
      Daemon.sleep(random.nextInt(700));
      command("kill", "-HUP", Long.toString(starting.pid()));
      if (starting.waitFor(2, TimeUnit.SECONDS)) {
        assertThat(starting.exitValue()).isEqualTo(129);
      } else {
        starting.destroy();
        assertThat(starting.waitFor(30, TimeUnit.SECONDS)).isTrue();
      }
      daemon.restart();
      runs(daemon, before);
    }
    ends(daemon, before);
    daemon.cri().removeEverything();
    isWhole(daemon);
  }

  /** The first process of a container, as the node counts. */
  private static long processOf(Daemon daemon, Counting one) throws Exception {
    String inspected = daemon.jrt("inspect", "-o", "json", one.id()).ok();
    var matcher = java.util.regex.Pattern.compile("\"pid\"\\s*:\\s*\"?(\\d+)").matcher(inspected);
    assertThat(matcher.find()).as(inspected).isTrue();
    return Long.parseLong(matcher.group(1));
  }

  private static long parentOf(long pid) throws IOException {
    String stat = Files.readString(Path.of("/proc", Long.toString(pid), "stat"));
    return Long.parseLong(stat.substring(stat.lastIndexOf(')') + 2).split(" ")[1]);
  }

  /** Whether there is more of a process than what its parent has not asked for yet. */
  private static boolean runsStill(long pid) {
    try {
      return !Files.readString(Path.of("/proc/" + pid + "/status")).contains("State:\tZ");
    } catch (IOException gone) {
      return false;
    }
  }

  private static void killDead(long pid) throws Exception {
    command("kill", "-KILL", Long.toString(pid));
  }

  @Test
  void whoIsKilledFromOutsideIsToldAboutAndLeavesNothing() throws Exception {
    Daemon daemon = start();
    Counting init = counting(daemon, "init");
    Counting keeper = counting(daemon, "keeper");
    killDead(processOf(daemon, init));
    ContainerStatus ended = daemon.cri().awaitExit(init.id());
    assertThat(ended.getExitCode()).isEqualTo(137);
    assertThat(ended.getMessage()).contains("SIGKILL").contains("did not send");
    List<String> lines =
        Files.readAllLines(init.log()).stream().map(line -> line.split(" ", 4)[3]).toList();
    for (int i = 0; i < lines.size(); i++) {
      assertThat(lines.get(i)).isEqualTo("line " + i);
    }

    long first = processOf(daemon, keeper);
    killDead(parentOf(first));
    ContainerStatus lost = daemon.cri().awaitExit(keeper.id());
    assertThat(lost.getReason()).isEqualTo("Unknown");
    assertThat(lost.getMessage()).contains("keeper");
    assertThat(runsStill(first)).isFalse();
    daemon.cri().removePod(init.pod());
    daemon.cri().removePod(keeper.pod());
    isWhole(daemon);
  }

  @Test
  void aStrangerWithTheNumberOfAKeeperIsLeftAlone() throws Exception {
    Daemon daemon = start();
    Counting one = counting(daemon, "one");
    long first = processOf(daemon, one);
    long keeper = parentOf(first);
    daemon.kill();
    killDead(keeper);
    long end = System.nanoTime() + SOON.toNanos();
    while (Files.exists(Path.of("/proc/" + keeper)) || Files.exists(Path.of("/proc/" + first))) {
      assertThat(System.nanoTime()).as("end of %d and %d", keeper, first).isLessThan(end);
      Daemon.sleep(20);
    }
    Process stranger = withNumber(keeper);
    try {
      daemon.restart();
      assertThat(daemon.cri().awaitExit(one.id()).getReason()).isEqualTo("Unknown");
      daemon.cri().removePod(one.pod());
      isWhole(daemon);
      assertThat(stranger.isAlive()).as("the stranger").isTrue();
    } finally {
      stranger.destroyForcibly().waitFor();
    }
  }

  /** A process that has been given this number, which the kernel lets root choose. */
  private static Process withNumber(long pid) throws Exception {
    Path last = Path.of("/proc/sys/kernel/ns_last_pid");
    for (int i = 0; i < 200; i++) {
      try {
        Files.writeString(last, Long.toString(pid - 1));
      } catch (IOException e) {
        assumeTrue(false, "numbers of processes cannot be chosen here: " + e.getMessage());
      }
      Process process = new ProcessBuilder("sleep", "1000").start();
      if (process.pid() == pid) {
        return process;
      }
      process.destroyForcibly().waitFor();
    }
    throw new AssertionError("no process got the number " + pid);
  }
}
