package io.jrt.core.life;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrt.core.ContainerFilter;
import io.jrt.core.ContainerState;
import io.jrt.core.ContainerSummary;
import io.jrt.core.Deadline;
import io.jrt.core.PodFilter;
import io.jrt.core.PodSummary;
import io.jrt.core.TestHome;
import io.jrt.linux.FailPoints;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Kills the daemon at every step of every operation, and looks at what the next one makes of it.
 */
@Timeout(900)
class CrashWalkIT {
  private static final int KILLED = 137;

  private record Ended(int code, List<String> lines) {}

  private static List<String> command(Path directory, String failPoints) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("--enable-native-access=ALL-UNNAMED");
    command.add("-Djnr.ffi.x86asm.enabled=false");
    command.add("-XX:TieredStopAtLevel=1");
    command.add("-XX:+UseSerialGC");
    command.add("-Djrt.init=" + System.getProperty("jrt.init"));
    command.add("-Djrt.failpoints=" + failPoints);
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(CrashChild.class.getName());
    command.add(directory.toString());
    return command;
  }

  private static Ended run(Path directory, String failPoints) throws Exception {
    List<String> command = command(directory, failPoints);
    Path output = directory.resolveSibling(directory.getFileName() + ".out");
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    try {
      assertThat(process.waitFor(90, TimeUnit.SECONDS)).as(failPoints).isTrue();
      return new Ended(process.exitValue(), Files.readAllLines(output, StandardCharsets.UTF_8));
    } finally {
      process.destroyForcibly();
      Files.deleteIfExists(output);
    }
  }

  @Test
  void everyStepCanBeTheDaemonsLast() throws Exception {
    List<String> steps = new ArrayList<>();
    try (RuntimeLab lab = lab()) {
      Ended whole = run(lab.directory, "");
      assertThat(whole.code()).as(whole.lines()::toString).isZero();
      whole.lines().stream()
          .filter(line -> line.startsWith("step "))
          .forEach(line -> steps.add(line.substring(5)));
      lab.open();
      assertThat(lab.traces()).isEmpty();
    }
    assertThat(steps).hasSizeGreaterThan(30);
    String only = System.getProperty("jrt.crash.only", "");
    int walked = 0;
    for (String step : steps) {
      if (only.isEmpty() || step.contains(only)) {
        crashAt(step);
        walked++;
      }
    }
    System.out.println("crash points walked: " + walked);
  }

  @Test
  void killedAtAnyMomentUnderLoad() throws Exception {
    long seed = Long.getLong("jrt.seed", System.nanoTime());
    System.out.println("seed " + seed);
    Random random = new Random(seed);
    int containers = 0;
    for (int round = 0; round < 5; round++) {
      try (RuntimeLab lab = lab()) {
        List<String> command = command(lab.directory, "");
        command.add("12");
        Path output = lab.directory.resolveSibling(lab.directory.getFileName() + ".out");
        Process process =
            new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        long until = System.nanoTime() + RuntimeLab.SOON.toNanos();
        Path records = lab.directory.resolve("root/containers");
        while (!hasRecords(records) && System.nanoTime() < until) {
          Thread.sleep(20);
        }
        Thread.sleep(500 + random.nextInt(2500));
        process.destroyForcibly().waitFor();
        Files.deleteIfExists(output);
        lab.open();
        for (ContainerSummary container : lab.runtime().containers(ContainerFilter.ALL)) {
          containers++;
          checkStorm(lab, container);
        }
        for (PodSummary pod : lab.runtime().pods(PodFilter.ALL)) {
          lab.runtime().removePod(pod.id(), Deadline.after(Duration.ofMinutes(1)));
        }
        assertThat(lab.traces()).as("round " + round).isEmpty();
      }
    }
    System.out.println("containers found after a kill: " + containers);
    assertThat(containers).isPositive();
  }

  private static boolean hasRecords(Path directory) throws IOException {
    if (!Files.isDirectory(directory)) {
      return false;
    }
    try (Stream<Path> files = Files.list(directory)) {
      return files.anyMatch(file -> file.toString().endsWith(".json"));
    }
  }

  private static void checkStorm(RuntimeLab lab, ContainerSummary container) throws Exception {
    String name = container.metadata().name();
    boolean ran =
        container.state() instanceof ContainerState.Running
            || container.state() instanceof ContainerState.Exited;
    if (!name.startsWith("storm") || !ran) {
      return;
    }
    assertThat(lab.awaitExit(container.id()).cause().code()).as(name).isEqualTo(42);
    List<String> expected = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      expected.add("line " + i);
    }
    assertThat(lab.log(name)).as(name).isEqualTo(expected);
  }

  private static RuntimeLab lab() throws Exception {
    return new RuntimeLab(TestHome.make("crash"), FailPoints.none(), false);
  }

  private static void crashAt(String step) throws Exception {
    try (RuntimeLab lab = lab()) {
      Ended crashed = run(lab.directory, step + "=kill");
      assertThat(crashed.code()).as(step + ": " + crashed.lines()).isEqualTo(KILLED);
      lab.open();
      Deadline deadline = Deadline.after(Duration.ofMinutes(1));
      for (ContainerSummary container : lab.runtime().containers(ContainerFilter.ALL)) {
        checkTruth(lab, step, container);
      }
      for (PodSummary pod : lab.runtime().pods(PodFilter.ALL)) {
        lab.runtime().stopPod(pod.id(), deadline);
        lab.runtime().removePod(pod.id(), deadline);
      }
      assertThat(lab.traces()).as(step).isEmpty();
      // And the name is free: the same life can be lived again.
      CrashChild.live(lab);
      assertThat(lab.traces()).as(step).isEmpty();
    }
  }

  /** What ended has its code and its output; what never ran can be started or removed. */
  private static void checkTruth(RuntimeLab lab, String step, ContainerSummary container)
      throws Exception {
    if (!container.metadata().name().equals("ends")) {
      return;
    }
    switch (container.state()) {
      case ContainerState.Created _ -> {}
      case ContainerState.Running _, ContainerState.Exited _ -> {
        assertThat(lab.awaitExit(container.id()).cause().code()).as(step).isEqualTo(42);
        assertThat(lab.log("ends")).as(step).containsExactly("one", "two");
      }
      case ContainerState.Unknown unknown -> throw new AssertionError(step + ": " + unknown.why());
    }
  }
}
