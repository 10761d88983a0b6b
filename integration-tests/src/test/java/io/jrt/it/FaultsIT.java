package io.jrt.it;

import static java.nio.file.LinkOption.NOFOLLOW_LINKS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.jrt.cri.v1.ContainerConfig;
import io.jrt.cri.v1.ContainerState;
import io.jrt.cri.v1.ContainerStatus;
import io.jrt.cri.v1.ListContainersRequest;
import io.jrt.cri.v1.NamespaceMode;
import io.jrt.cri.v1.PodSandboxConfig;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * What goes wrong on nodes: disks that are full or out of inodes, limits that are reached, signals,
 * and processes that somebody kills. What runs goes on, what is refused is refused in words and
 * leaves nothing, and when the trouble is over all is as ever.
 *
 * <p>In {@code make test} a selection of the disks' troubles by a seed that is printed ({@code
 * -Djrt.seed=}); {@code make fault} ({@code -Djrt.fault=full}) has all of them.
 */
@Timeout(900)
class FaultsIT {
  private static final boolean FULL = System.getProperty("jrt.fault", "").equals("full");
  private static final Duration SOON = Duration.ofSeconds(30);

  private final long seed = Long.getLong("jrt.seed", System.nanoTime());
  private @Nullable Daemon running;
  private String image = "";

  @AfterEach
  void stopDaemon() throws IOException {
    if (running != null) {
      running.close();
    }
  }

  private Daemon start(Path home, Map<String, String> environment) throws Exception {
    Daemon daemon = Daemon.start(home, Daemon.ownRange(), environment);
    running = daemon;
    image = daemon.bundledImage();
    return daemon;
  }

  private Daemon start() throws Exception {
    return start(Daemon.newHome(), Map.of());
  }

  private static void command(String... words) throws Exception {
    Process process = new ProcessBuilder(words).inheritIO().start();
    assertThat(process.waitFor()).as(String.join(" ", words)).isZero();
  }

  /** A pod with a container that counts until it is asked to stop, and ends with 7 then. */
  private record Counting(String pod, PodSandboxConfig config, String id, Path log) {}

  private Counting counting(Daemon daemon, String name) {
    Path logs = daemon.home().resolve("logs");
    PodSandboxConfig config = Cri.pod(name, NamespaceMode.POD, logs).build();
    String pod = daemon.cri().runPod(config);
    String script =
        "trap 'echo end; exit 7' TERM; i=0; while :; do echo line $i; i=$((i+1)); usleep 20000;"
            + " done";
    String id =
        daemon.cri().run(pod, config, Cri.container("c", image, "sh", "-c", script).build());
    Path log = logs.resolve(name).resolve("c.log");
    long end = System.nanoTime() + SOON.toNanos();
    while (length(log) == 0) { // before its first line it would not heed a stop
      assertThat(System.nanoTime()).as("a line in %s", log).isLessThan(end);
      Daemon.sleep(10);
    }
    return new Counting(pod, config, id, log);
  }

  private static long length(Path log) {
    try {
      return Files.size(log);
    } catch (IOException e) {
      return 0; // not there yet
    }
  }

  private static void runs(Daemon daemon, Counting one) {
    assertThat(daemon.cri().status(one.id()).getState())
        .isEqualTo(ContainerState.CONTAINER_RUNNING);
  }

  private static void ends(Daemon daemon, Counting one) {
    daemon.cri().stop(one.id(), 20);
    assertThat(daemon.cri().awaitExit(one.id()).getExitCode()).isEqualTo(7);
    daemon.cri().removePod(one.pod());
  }

  /** A call that may be refused, but in words, and not for ever. */
  private static boolean refused(Runnable call) {
    try {
      call.run();
      return false;
    } catch (StatusRuntimeException e) {
      assertThat(e.getStatus().getCode())
          .as("%s", e.getMessage())
          .isIn(
              Status.Code.RESOURCE_EXHAUSTED,
              Status.Code.UNAVAILABLE,
              Status.Code.INTERNAL,
              Status.Code.FAILED_PRECONDITION);
      assertThat(e.getStatus().getDescription()).isNotBlank();
      System.out.println("refused: " + e.getStatus().getDescription());
      return true;
    }
  }

  private static void isWhole(Daemon daemon) throws Exception {
    assertThat(Remains.besidesImages(daemon)).isEmpty();
    Daemon.Result check = daemon.jrt("check");
    assertThat(check.out()).contains("everything is as it should be");
  }

  // Disks ----------------------------------------------------------------------------------------

  /** What is wrong with a disk. */
  private enum Trouble {
    NO_SPACE,
    NO_INODES
  }

  private record Case(String place, Trouble trouble) {}

  @Test
  void aDiskInTroubleTakesNothingThatRuns() throws Exception {
    System.out.println("seed " + seed);
    List<Case> cases = new ArrayList<>();
    for (String place : List.of("root", "state", "logs")) {
      for (Trouble trouble : Trouble.values()) {
        cases.add(new Case(place, trouble));
      }
    }
    Collections.shuffle(cases, new Random(seed));
    for (Case each : FULL ? cases : cases.subList(0, 1)) {
      System.out.println(each);
      Path home = Daemon.newHome();
      Path disk = Files.createDirectories(home.resolve(each.place()));
      command(
          "mount", "-t", "tmpfs", "-o", "size=160m,nr_inodes=6000,mode=700", "jrt-it", "" + disk);
      Daemon daemon = start(home, Map.of());
      Counting before = counting(daemon, "before");
      Path filling = disk.resolve("filling");
      begin(each.trouble(), filling);
      inTrouble(daemon, before);
      command("rm", "-rf", filling.toString());
      afterTrouble(daemon, before);
      daemon.close();
      running = null;
    }
  }

  private static void begin(Trouble trouble, Path filling) throws Exception {
    switch (trouble) {
      case NO_SPACE -> {
        Process fill =
            new ProcessBuilder("dd", "if=/dev/zero", "of=" + filling, "bs=64k")
                .redirectErrorStream(true)
                .start();
        String said = new String(fill.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(fill.waitFor()).isNotZero();
        assertThat(said).contains("No space");
      }
      case NO_INODES -> {
        Files.createDirectory(filling);
        boolean room = true;
        for (int i = 0; room; i++) {
          try {
            Files.createFile(filling.resolve("f" + i));
          } catch (IOException e) {
            assertThat(e).hasMessageContaining("No space");
            room = false;
          }
        }
      }
    }
  }

  private void inTrouble(Daemon daemon, Counting before) throws Exception {
    runs(daemon, before);
    assertThat(
            daemon
                .cri()
                .runtime()
                .listContainers(ListContainersRequest.getDefaultInstance())
                .getContainersCount())
        .isEqualTo(1);
    refused(() -> daemon.cri().exec(before.id(), "true"));
    Path logs = daemon.home().resolve("logs");
    PodSandboxConfig config = Cri.pod("meanwhile", NamespaceMode.POD, logs).build();
    List<String> made = new ArrayList<>();
    if (!refused(() -> made.add(daemon.cri().runPod(config)))) {
      refused(
          () ->
              daemon
                  .cri()
                  .run(
                      made.getFirst(), config, Cri.container("c", image, "sleep", "1000").build()));
      // Who is evicted because a disk is full must go although it is.
      refused(() -> daemon.cri().removePod(made.getFirst()));
    }
    runs(daemon, before);
  }

  private void afterTrouble(Daemon daemon, Counting before) throws Exception {
    long grown = Files.size(before.log());
    runs(daemon, before);
    daemon.kill();
    daemon.restart();
    runs(daemon, before);
    long end = System.nanoTime() + SOON.toNanos();
    while (Files.size(before.log()) <= grown) {
      assertThat(System.nanoTime()).as("its log goes on").isLessThan(end);
      Daemon.sleep(20);
    }
    Counting after = counting(daemon, "after");
    ends(daemon, after);
    ends(daemon, before);
    daemon.cri().removeEverything();
    isWhole(daemon);
  }

  @Test
  void aPodCanBeRemovedFromAFullNode() throws Exception {
    Path home = Daemon.newHome();
    for (String place : List.of("root", "state")) {
      Path disk = Files.createDirectories(home.resolve(place));
      command("mount", "-t", "tmpfs", "-o", "size=160m,mode=700", "jrt-it", disk.toString());
    }
    Daemon daemon = start(home, Map.of());
    Counting one = counting(daemon, "evicted");
    begin(Trouble.NO_SPACE, home.resolve("root/filling"));
    PodSandboxConfig config = Cri.pod("p", NamespaceMode.NODE, home.resolve("logs")).build();
    assertThatThrownBy(() -> daemon.cri().runPod(config)).hasMessageContaining("No space left");
    // Nobody could make room on a node whose daemon needs room to start.
    daemon.kill();
    daemon.restart();
    runs(daemon, one);
    begin(Trouble.NO_SPACE, home.resolve("state/filling"));
    ends(daemon, one);
    Files.delete(home.resolve("root/filling"));
    Files.delete(home.resolve("state/filling"));
    isWhole(daemon);
  }

  @Test
  void aFileSystemThatTurnsReadOnlyLosesNoContainerAndNoEnd() throws Exception {
    Path home = Daemon.newHome();
    Path image = home.resolve("disk.img");
    Path disk = Files.createDirectories(home.resolve("root"));
    command("truncate", "-s", "400M", image.toString());
    command("mkfs.ext4", "-q", "-F", image.toString());
    assumeTrue(mounted(image, disk), "no loop devices here");
    Daemon daemon = start(home, Map.of());
    Counting stays = counting(daemon, "stays");
    Counting ended = counting(daemon, "ended");
    command("sync", "-f", disk.toString());
    // As it ends when the kernel finds an error in it; a mount that is written to can be made
    // read-only in no other way.
    Path device = Path.of(Files.getFileStore(disk).name()).getFileName();
    Files.writeString(Path.of("/sys/fs/ext4/" + device + "/trigger_fs_error"), "test");

    PodSandboxConfig config = Cri.pod("p", NamespaceMode.NODE, home.resolve("logs")).build();
    ContainerConfig more = Cri.container("more", this.image, "true").build();
    for (Runnable call :
        List.<Runnable>of(
            () -> daemon.cri().runPod(config),
            () -> daemon.cri().create(stays.pod(), stays.config(), more))) {
      assertThatThrownBy(call::run)
          .hasMessageStartingWith("UNAVAILABLE: ")
          .hasMessageContaining(disk.toString())
          .hasMessageMatching("(?is).*read-only file system.*");
    }
    runs(daemon, stays);
    assertThat(daemon.cri().exec(stays.id(), "echo", "here").getStdout().toStringUtf8())
        .isEqualTo("here\n");
    daemon.cri().stop(ended.id(), 20);
    assertThat(daemon.cri().awaitExit(ended.id()).getExitCode()).isEqualTo(7);
    daemon.kill();
    // No daemon without a root that it can write to: it says which, and containers go on.
    Process refused = daemon.launchOnly();
    assertThat(refused.waitFor(30, TimeUnit.SECONDS)).isTrue();
    assertThat(refused.exitValue()).isEqualTo(1);
    assertThat(daemon.output()).contains(disk.toString()).contains("Read-only file system");

    // What an administrator does: the disk is checked and mounted anew.
    Path repaired = home.resolve("repaired.img");
    command("cp", "--sparse=always", image.toString(), repaired.toString());
    new ProcessBuilder("e2fsck", "-fy", repaired.toString()).start().waitFor();
    command("umount", "-l", disk.toString());
    assertThat(mounted(repaired, disk)).isTrue();
    daemon.restart();
    runs(daemon, stays);
    assertThat(daemon.cri().status(ended.id()).getExitCode()).isEqualTo(7);
    Counting after = counting(daemon, "after");
    ends(daemon, after);
    ends(daemon, stays);
    daemon.cri().removePod(ended.pod());
    isWhole(daemon);
  }

  private static boolean mounted(Path image, Path place) throws Exception {
    return new ProcessBuilder(
                "mount", "-o", "loop,errors=remount-ro", image.toString(), place.toString())
            .inheritIO()
            .start()
            .waitFor()
        == 0;
  }

  // Limits ---------------------------------------------------------------------------------------

  @Test
  void withoutThreadsCallsAreRefusedAndNothingElse() throws Exception {
    assumeTrue(FULL, "what is undone later is waited for, for minutes: by make fault");
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
                                      Cri.container("c", image, "sleep", "1000").build());
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
                  daemon.cri().run(pod, config, Cri.container("c", image, "sleep", "1000").build());
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
