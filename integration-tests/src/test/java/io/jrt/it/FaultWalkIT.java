package io.jrt.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A whole daemon that is killed, fails, hangs or dawdles at a step of a call, while a client makes
 * every mutating call of CRI and tries each again as the kubelet does. Afterwards nothing may be
 * left and nothing may have been forgotten.
 *
 * <p>In {@code make test} a selection of the steps is walked, by a seed that is printed ({@code
 * -Djrt.seed=}); {@code make fault} ({@code -Djrt.fault=full}) walks all of them.
 */
@Timeout(3600)
class FaultWalkIT {
  private static final boolean FULL = System.getProperty("jrt.fault", "").equals("full");
  private static final String ONLY = System.getProperty("jrt.fault.only", "");
  private static final Duration PATIENT = Duration.ofSeconds(60);
  private static final Duration SHORT = Duration.ofSeconds(1);
  private static final int KILLED = 137;

  /** How many times the same step is tried, where one life comes by it more than once. */
  private static final int HITS = 3;

  @TempDir private static Path directory;
  private static LocalRegistry registry;
  private static String image;

  private final long seed = Long.getLong("jrt.seed", System.nanoTime());
  private final Random random = new Random(seed);
  private Daemon daemon;
  private Path arms;
  private final List<String> problems = new ArrayList<>();
  private int lives;
  private int faults;
  private int podsLost;
  private String lastAddress = "";

  @BeforeAll
  static void startRegistry() throws IOException, InterruptedException {
    registry = LocalRegistry.start(directory);
    image = registry.push("it/busybox", "1", Workloads.busybox());
  }

  @AfterAll
  static void stopRegistry() {
    registry.close();
  }

  @BeforeEach
  void startDaemon() throws IOException {
    Path home = Daemon.newHome();
    lastAddress = "";
    arms = home.resolve("failpoints");
    daemon =
        Daemon.start(home, Daemon.ownRange(), Map.of("JRTD_OPTS", "-Djrt.failpoints.file=" + arms));
    System.out.println("seed " + seed);
  }

  @AfterEach
  void stopDaemon() throws IOException {
    Files.deleteIfExists(arms);
    daemon.close();
  }

  /** A step, and which passing of it in one life is meant, from 1. */
  private record Point(String name, int hit) {
    @Override
    public String toString() {
      return hit == 1 ? name : name + " for the " + hit + ". time";
    }
  }

  @Test
  void everyStepCanBeTheDaemonsLast() throws IOException {
    List<Point> points = selection(points(), 9);
    for (Point point : points) {
      walk(
          point + " kills",
          () -> {
            arm("%s=%d*kill".formatted(point.name(), point.hit()));
            assertThat(live(PATIENT, true)).as("deaths of the daemon").isEqualTo(1);
          });
    }
    report("crash points walked: " + points.size());
  }

  @Test
  void theDaemonCanDieWhileItRecovers() throws IOException {
    List<Point> points = selection(points(), 2);
    List<String> steps = new ArrayList<>(recoverySteps());
    Collections.shuffle(steps, random);
    int walked = 0;
    for (Point point : points) {
      for (String step : steps.subList(0, FULL ? 2 : 1)) {
        walk(
            point + " kills, then " + step,
            () -> {
              arm("%s=%d*kill".formatted(point.name(), point.hit()));
              live(PATIENT, step + "=1*kill");
            });
        walked++;
      }
    }
    report("pairs of crash points walked: " + walked);
  }

  @Test
  void aStepThatFailsLeavesNothingAndIsTriedAgain() throws IOException {
    List<Point> points = selection(points(), 12);
    long before = Remains.descriptors(daemon.pid());
    for (Point point : points) {
      walk(
          point + " fails",
          () -> {
            arm("%s=%d*fail".formatted(point.name(), point.hit()));
            live(PATIENT, false);
          });
    }
    assertThat(Remains.descriptors(daemon.pid())).as("descriptors").isLessThan(before + 12);
    report("steps that failed once: " + points.size());
  }

  @Test
  void aStepThatHangsIsJoinedByRetries() throws Exception {
    List<Point> points = selection(points(), 4);
    for (Point point : points) {
      String fault = random.nextInt(4) > 0 ? "hang" : "delay(1500)";
      walk(
          point + " by " + fault,
          () -> {
            arm("%s=%d*%s".formatted(point.name(), point.hit(), fault));
            Thread healer = Thread.ofPlatform().daemon().start(() -> disarmSoonAfter(point));
            live(SHORT, false);
            healer.interrupt();
            healer.join();
            // What happens in the background may hang still, without the life having waited for it.
            arm("");
          });
    }
    report("steps that hung or dawdled: " + points.size());
  }

  private interface Step {
    void run() throws IOException, InterruptedException;
  }

  /**
   * One fault and what must be true after it. Where it is not, the walk goes on with a new daemon.
   */
  private void walk(String what, Step step) throws IOException {
    try {
      step.run();
      assertThat(Remains.of(daemon, lastAddress)).as("left on the machine").isEmpty();
    } catch (AssertionError | StatusRuntimeException | InterruptedException e) {
      podsLost++;
      problems.add(what + ": " + e.getMessage());
      System.out.println("PROBLEM " + what + ": " + e.getMessage());
      arm("");
      try {
        daemon.close();
      } catch (AssertionError leaks) {
        problems.add(what + ": " + leaks.getMessage());
      }
      startDaemon();
    }
  }

  private void disarmSoonAfter(Point point) {
    try {
      while (seen().getOrDefault(point.name(), 0) < point.hit()) {
        Thread.sleep(20);
      }
      Thread.sleep(2500);
      arm("");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // this life did not come by
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private void report(String what) {
    System.out.printf(
        "%s; lives %d, faults injected %d, pods lost %d%n", what, lives, faults, podsLost);
    assertThat(problems).isEmpty();
  }

  /** Everything that one undisturbed life comes by, warmed up by another one. */
  private List<Point> points() throws IOException {
    live(PATIENT, false);
    assertNothingIsLeft("the first life");
    arm("");
    live(PATIENT, false);
    assertNothingIsLeft("the second life");
    List<Point> points = new ArrayList<>();
    for (Map.Entry<String, Integer> step : seen().entrySet()) {
      for (int hit = 1; hit <= Math.min(HITS, step.getValue()); hit++) {
        // How often a pull tells of its progress is a matter of time.
        if (hit == 1 || !step.getKey().startsWith("pull-image.")) {
          points.add(new Point(step.getKey(), hit));
        }
      }
    }
    assertThat(points).hasSizeGreaterThan(60);
    return points;
  }

  private List<Point> selection(List<Point> all, int few) {
    List<Point> chosen = new ArrayList<>(all);
    if (!ONLY.isEmpty()) {
      chosen.removeIf(point -> !point.name().contains(ONLY));
      return chosen;
    }
    if (FULL) {
      return chosen;
    }
    Collections.shuffle(chosen, random);
    return chosen.subList(0, few);
  }

  private List<String> recoverySteps() throws IOException {
    arm("");
    daemon.kill();
    daemon.restart();
    List<String> steps =
        seen().keySet().stream().filter(name -> name.startsWith("recovery.")).toList();
    assertThat(steps).isNotEmpty();
    return steps;
  }

  /** Writes what is armed from now on, and forgets what was seen. */
  private void arm(String text) throws IOException {
    Path seen = arms.resolveSibling("failpoints.seen");
    Path beside = arms.resolveSibling("failpoints.new");
    Files.writeString(beside, text);
    Files.move(beside, arms, java.nio.file.StandardCopyOption.ATOMIC_MOVE);
    if (!text.isEmpty()) {
      faults++;
    }
    if (!Thread.currentThread().isDaemon()) {
      Files.deleteIfExists(seen);
    }
  }

  private Map<String, Integer> seen() throws IOException {
    Map<String, Integer> counts = new TreeMap<>();
    Path seen = arms.resolveSibling("failpoints.seen");
    if (Files.exists(seen)) {
      for (String name : Files.readAllLines(seen)) {
        counts.merge(name, 1, Integer::sum);
      }
    }
    return counts;
  }

  /** A life; the number of times that the daemon died in it. */
  private int live(Duration deadline, boolean mayDie) throws IOException {
    return live(deadline, mayDie ? "" : "alive");
  }

  /**
   * @param rearm what is armed for the restart, "alive" when the daemon must not die
   */
  private int live(Duration deadline, String rearm) throws IOException {
    int[] deaths = {0};
    lives++;
    PodLife life =
        new PodLife(
            daemon,
            "p" + lives,
            image,
            deadline,
            (call, error) -> {
              if (daemon.hasEnded()) {
                assertThat(rearm)
                    .as("%s: the daemon died: %s", call, daemon.output())
                    .isNotEqualTo("alive");
                assertThat(daemon.exitValue()).isEqualTo(KILLED);
                assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
                deaths[0]++;
                revive(rearm);
              }
            });
    life.live();
    lastAddress = life.ip();
    return deaths[0];
  }

  private void revive(String rearm) throws IOException {
    if (!rearm.isEmpty()) {
      arm(rearm);
      Process process = daemon.launchOnly();
      try {
        assertThat(process.waitFor(30, java.util.concurrent.TimeUnit.SECONDS))
            .as("death while recovering, %s", rearm)
            .isTrue();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException(e);
      }
    }
    arm("");
    daemon.restart();
  }

  private void assertNothingIsLeft(String after) throws IOException {
    assertThat(Remains.of(daemon, lastAddress)).as("left after %s", after).isEmpty();
  }
}
