package io.jrt.core.life;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrt.core.Bytes;
import io.jrt.core.ContainerConfig;
import io.jrt.core.ContainerFilter;
import io.jrt.core.ContainerState;
import io.jrt.core.Deadline;
import io.jrt.core.ExecResult;
import io.jrt.core.NamespaceMode;
import io.jrt.core.PodConfig;
import io.jrt.core.PodFilter;
import io.jrt.core.PodState;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.FailPoints;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class NodeRuntimeIT {
  private static final Deadline LATER = Deadline.after(Duration.ofMinutes(10));

  private RuntimeLab lab;

  @BeforeEach
  void open() throws IOException {
    lab = new RuntimeLab();
  }

  @AfterEach
  void close() throws IOException {
    lab.close();
  }

  @Test
  void podAndContainerLiveAndLeaveNoTrace() throws Exception {
    String pod = lab.runPod();
    assertThat(lab.runtime().podStatus(pod).state()).isEqualTo(PodState.READY);
    String container =
        lab.start(
            pod,
            lab.container("c", "echo hello $IMAGE $HOSTNAME; hostname; cat /etc/hosts; exit 7"));
    ContainerState.Exited exited = lab.awaitExit(container);
    assertThat(exited.cause().code()).isEqualTo(7);
    assertThat(exited.cause().reason()).isEqualTo("Error");
    assertThat(lab.log("c")).contains("hello yes pod1", "pod1");
    lab.runtime().removeContainer(container, LATER);
    lab.runtime().removeContainer(container, LATER);
    lab.runtime().stopPod(pod, LATER);
    lab.runtime().stopPod(pod, LATER);
    assertThat(lab.runtime().podStatus(pod).state()).isEqualTo(PodState.NOT_READY);
    lab.runtime().removePod(pod, LATER);
    lab.runtime().removePod(pod, LATER);
    assertThat(lab.runtime().pods(PodFilter.ALL)).isEmpty();
    assertThat(lab.traces()).isEmpty();
  }

  @Test
  void commandsRunInTheContainer() throws Exception {
    String pod = lab.runPod();
    String container = lab.start(pod, lab.container("c", "sleep 1000"));
    assertThat(lab.exec(container, "sh", "-c", "echo $IMAGE; id -u")).isEqualTo("yes\n0\n");
    ExecResult failed =
        lab.runtime()
            .execSync(
                container,
                Bytes.listOf(List.of("sh", "-c", "echo out; echo err >&2; exit 3")),
                RuntimeLab.SOON);
    assertThat(failed.exitCode()).isEqualTo(3);
    assertThat(failed.stdout().text()).isEqualTo("out\n");
    assertThat(failed.stderr().text()).isEqualTo("err\n");
    assertThatThrownBy(
            () ->
                lab.runtime()
                    .execSync(
                        container,
                        Bytes.listOf(List.of("sh", "-c", "sleep 100 & sleep 100")),
                        Duration.ofMillis(300)))
        .isInstanceOfSatisfying(
            JrtException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.DEADLINE));
    long until = System.nanoTime() + RuntimeLab.SOON.toNanos();
    while (lab.exec(container, "ps").contains("sleep 100\n") && System.nanoTime() < until) {
      Thread.sleep(20);
    }
    assertThat(lab.exec(container, "ps")).doesNotContain("sleep 100\n");
  }

  @Test
  void execOutputIsCutAtSixteenMebibytes() throws Exception {
    String pod = lab.runPod();
    String container = lab.start(pod, lab.container("c", "sleep 1000"));
    try (ExecResult result =
        lab.runtime()
            .execSync(
                container,
                Bytes.listOf(
                    List.of("sh", "-c", "yes | head -c 40000000; yes no | head -c 70000 >&2")),
                Duration.ofSeconds(60))) {
      assertThat(result.exitCode()).isZero();
      assertThat(result.stdout().text()).isEqualTo("y\n".repeat(8 << 20));
      assertThat(result.stderr().text()).isEqualTo("no\n".repeat(23334).substring(0, 70000));
    }
  }

  @Test
  void stopSendsTheSignalAndKillsAfterTheGraceTime() throws Exception {
    String pod = lab.runPod();
    String polite =
        lab.start(
            pod,
            lab.container("polite", "trap 'exit 5' TERM; echo up; while :; do sleep 0.1; done"));
    lab.awaitLog("polite", "up");
    lab.runtime().stopContainer(polite, Duration.ofSeconds(20), LATER);
    assertThat(lab.awaitExit(polite).cause().code()).isEqualTo(5);

    String deaf =
        lab.start(pod, lab.container("deaf", "trap '' TERM; echo up; while :; do sleep 0.1; done"));
    lab.awaitLog("deaf", "up");
    long began = System.nanoTime();
    Thread patient =
        Thread.ofVirtual()
            .start(() -> lab.runtime().stopContainer(deaf, Duration.ofSeconds(100), LATER));
    Thread.sleep(200);
    lab.runtime().stopContainer(deaf, Duration.ofMillis(100), LATER);
    patient.join();
    assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(15));
    assertThat(lab.awaitExit(deaf).cause().code()).isEqualTo(137);
  }

  @Test
  void failedStartIsExitedAndSaysWhy() throws Exception {
    String pod = lab.runPod();
    ContainerConfig missing = ContainerConfig.of("missing", BusyboxImages.NAME, List.of("/nope"));
    String container = lab.runtime().createContainer(pod, missing, LATER);
    assertThatThrownBy(() -> lab.runtime().startContainer(container, LATER))
        .isInstanceOf(JrtException.class)
        .hasMessageContaining("/nope");
    ContainerState.Exited exited = lab.awaitExit(container);
    assertThat(exited.cause().code()).isEqualTo(127);
    assertThat(exited.cause().reason()).isEqualTo("ContainerCannotRun");
    assertThat(exited.cause().message()).contains("/nope");
  }

  @Test
  void pidNamespaceOfThePodIsShared() throws Exception {
    PodConfig config = lab.pod(NamespaceMode.NODE, NamespaceMode.POD);
    String pod = lab.runtime().runPod(config, "", LATER);
    ContainerConfig shared = inPodsPidNamespace("a", "echo up; exec sleep 1234");
    String a = lab.start(pod, shared);
    lab.awaitLog("a", "up");
    assertThat(lab.exec(a, "ps")).contains("sleep 1234").contains("podinit");
    lab.restart();
    assertThat(lab.exec(a, "ps")).contains("sleep 1234");
    lab.runtime().removePod(pod, LATER);
    assertThat(lab.traces()).isEmpty();
  }

  private ContainerConfig inPodsPidNamespace(String name, String script) {
    ContainerConfig first = lab.container(name, script);
    return new ContainerConfig(
        first.metadata(),
        first.image(),
        first.command(),
        first.args(),
        "",
        List.of(),
        List.of(),
        List.of(),
        List.of(),
        first.labels(),
        first.annotations(),
        name + ".log",
        false,
        false,
        false,
        first.resources(),
        Configs.withPid(first.security(), NamespaceMode.POD),
        "");
  }

  @Test
  void whatIsGivenUpWhenItRunsAlreadyLeavesNoProcess() throws Exception {
    FailPoints failPoints = lab.kernel.failPoints();
    // Not yet with a process of its own: the first container that shares its pid namespace makes
    // it.
    PodConfig config = lab.pod(NamespaceMode.NODE, NamespaceMode.CONTAINER);
    String pod = lab.runtime().runPod(config, "", LATER);
    failPoints.arm("launch-keeper.await", FailPoints.Action.FAIL, Duration.ofMillis(300));
    try {
      for (ContainerConfig each :
          List.of(
              lab.container("own", "exec sleep 4321"), // itself
              inPodsPidNamespace("shared", "exec sleep 4321"))) { // the first one of the namespace
        String container = lab.runtime().createContainer(pod, each, LATER);
        assertThatThrownBy(() -> lab.runtime().startContainer(container, LATER))
            .hasMessageContaining("fail-point");
      }
    } finally {
      failPoints.disarm("launch-keeper.await");
    }
    String container = lab.start(pod, inPodsPidNamespace("b", "echo up; exec sleep 1234"));
    lab.awaitLog("b", "up");
    failPoints.arm("launch-exec.await", FailPoints.Action.FAIL, Duration.ofMillis(300));
    try {
      assertThatThrownBy(() -> lab.exec(container, "sleep", "4321"))
          .hasMessageContaining("fail-point");
    } finally {
      failPoints.disarm("launch-exec.await");
    }
    assertThat(lab.exec(container, "ps")).contains("sleep 1234").doesNotContain("sleep 4321");
    assertThat(lab.exec(container, "ps").lines().filter(line -> line.contains("podinit")))
        .hasSize(1);
    lab.runtime().removePod(pod, LATER);
    assertThat(ProcessHandle.allProcesses().map(ProcessHandle::info))
        .noneMatch(info -> info.commandLine().orElse("").contains("sleep 4321"));
    assertThat(lab.traces()).isEmpty();
  }

  @Test
  void nextDaemonTakesOverWhatRunsAndLearnsWhatEnded() throws Exception {
    String pod = lab.runPod();
    String runs =
        lab.start(
            pod,
            lab.container("runs", "i=0; while :; do echo line $i; i=$((i+1)); sleep 0.05; done"));
    String ends = lab.start(pod, lab.container("ends", "sleep 1; echo last; exit 42"));
    String made = lab.runtime().createContainer(pod, lab.container("made", "echo made"), LATER);
    lab.awaitLog("runs", "line 3");
    lab.shut();
    Thread.sleep(1500);
    lab.open();
    assertThat(lab.runtime().podStatus(pod).state()).isEqualTo(PodState.READY);
    assertThat(lab.runtime().containerStatus(runs).state())
        .isInstanceOf(ContainerState.Running.class);
    assertThat(lab.awaitExit(ends).cause().code()).isEqualTo(42);
    assertThat(lab.log("ends")).containsExactly("last");
    lab.runtime().startContainer(made, LATER);
    lab.awaitExit(made);
    assertThat(lab.log("made")).containsExactly("made");
    assertThat(lab.exec(runs, "echo", "still")).isEqualTo("still\n");
    int seen = lab.log("runs").size();
    lab.awaitLog("runs", "line " + (seen + 5));
    List<String> lines = lab.log("runs");
    List<String> expected = new ArrayList<>();
    for (int i = 0; i < lines.size(); i++) {
      expected.add("line " + i);
    }
    assertThat(lines).isEqualTo(expected);
    lab.runtime().removePod(pod, LATER);
    assertThat(lab.traces()).isEmpty();
  }

  @Test
  void oneThatWaitsOrIsBrokenHoldsUpNoOther() throws Exception {
    String pod = lab.runPod();
    String counting = "i=0; while :; do echo line $i; i=$((i+1)); sleep 0.05; done";
    String waits = lab.start(pod, lab.container("waits", counting));
    String broken = lab.start(pod, lab.container("broken", counting));
    List<String> others = List.of("a", "b", "c", "d");
    for (String other : others) {
      lab.start(pod, lab.container(other, counting));
      lab.awaitLog(other, "line 1");
    }
    lab.shut();
    // As if its start were under way: the next daemon waits a while for how that ends.
    Path started = lab.layout.keeper(waits).resolve("init");
    Path away = Files.move(started, started.resolveSibling("init-later"));
    Files.writeString(lab.layout.keeper(broken).resolve("init"), "no record\n");
    Map<String, Integer> before = new HashMap<>();
    for (String other : others) {
      before.put(other, lab.log(other).size());
    }
    Thread opening = Thread.ofVirtual().start(lab::open);
    for (Map.Entry<String, Integer> lines : before.entrySet()) {
      lab.awaitLog(lines.getKey(), "line " + (lines.getValue() + 2));
    }
    Files.move(away, started);
    opening.join();
    assertThat(lab.runtime().containerStatus(waits).state())
        .isInstanceOf(ContainerState.Running.class);
    assertThat(lab.runtime().containerStatus(broken).state())
        .isInstanceOf(ContainerState.Unknown.class);
    lab.awaitLog("waits", "line " + (lab.log("waits").size() + 1));
    lab.runtime().removePod(pod, LATER);
    assertThat(lab.traces()).isEmpty();
  }

  @Test
  void retryOfATimedOutRequestGetsTheSamePod() throws Exception {
    lab.failPoints.arm("run-pod.write-pod-files", FailPoints.Action.HANG);
    PodConfig config = lab.pod(NamespaceMode.POD, NamespaceMode.CONTAINER);
    assertThatThrownBy(
            () -> lab.runtime().runPod(config, "", Deadline.after(Duration.ofMillis(300))))
        .isInstanceOfSatisfying(
            JrtException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.DEADLINE));
    assertThat(lab.runtime().operations()).hasSize(1);
    lab.failPoints.disarm("run-pod.write-pod-files");
    String pod = lab.runtime().runPod(config, "", LATER);
    assertThat(lab.runtime().pods(PodFilter.ALL)).hasSize(1);
    // Heard and made: from now on the name is taken.
    assertThatThrownBy(() -> lab.runtime().runPod(config, "", LATER))
        .isInstanceOfSatisfying(
            JrtException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.ALREADY_EXISTS));
    lab.runtime().removePod(pod, LATER);
    assertThat(lab.traces()).isEmpty();
  }

  @Test
  void failureAtAnyStepOfMakingLeavesNothing() throws Exception {
    // A first round finds the steps.
    String first = lab.runPod();
    String made = lab.start(first, lab.container("x", "true"));
    lab.awaitExit(made);
    lab.runtime().removePod(first, LATER);
    List<String> steps =
        lab.failPoints.seen().stream()
            .filter(name -> name.startsWith("run-pod.") || name.startsWith("create-container."))
            .toList();
    assertThat(steps).hasSizeGreaterThan(10);
    for (String step : steps) {
      lab.failPoints.arm(step, FailPoints.Action.FAIL);
      PodConfig config = lab.pod(NamespaceMode.POD, NamespaceMode.CONTAINER);
      if (step.startsWith("run-pod.")) {
        assertThatThrownBy(() -> lab.runtime().runPod(config, "", LATER))
            .hasMessageContaining(step);
        assertThat(lab.traces()).as(step).isEmpty();
        lab.failPoints.disarm(step);
        lab.runtime().removePod(lab.runtime().runPod(config, "", LATER), LATER);
      } else {
        String pod = lab.runtime().runPod(config, "", LATER);
        ContainerConfig container = lab.container("y", "true");
        assertThatThrownBy(() -> lab.runtime().createContainer(pod, container, LATER))
            .hasMessageContaining(step);
        lab.failPoints.disarm(step);
        lab.awaitExit(lab.start(pod, container));
        lab.runtime().removePod(pod, LATER);
      }
      assertThat(lab.traces()).as(step).isEmpty();
    }
  }

  @Test
  void fiftyPodsAtOnce() throws Exception {
    long began = System.nanoTime();
    List<PodConfig> configs = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      configs.add(lab.pod(NamespaceMode.POD, NamespaceMode.CONTAINER));
    }
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<String>> started = new ArrayList<>();
      for (int i = 0; i < 50; i++) {
        String name = "c" + i;
        PodConfig config = configs.get(i);
        started.add(
            threads.submit(
                () -> {
                  String pod = lab.runtime().runPod(config, "", LATER);
                  return lab.start(pod, lab.container(name, "echo up; exec sleep 1000"));
                }));
      }
      for (Future<String> one : started) {
        assertThat(lab.runtime().containerStatus(one.get()).state())
            .isInstanceOf(ContainerState.Running.class);
      }
    }
    System.out.println(
        "50 pods with a container each: "
            + Duration.ofNanos(System.nanoTime() - began).toMillis()
            + " ms");
    began = System.nanoTime();
    int lists = 100;
    for (int i = 0; i < lists; i++) {
      lab.runtime().pods(PodFilter.ALL);
      lab.runtime().containers(ContainerFilter.ALL);
    }
    System.out.println(
        "list of pods and containers: "
            + Duration.ofNanos(System.nanoTime() - began).toNanos() / lists / 1000
            + " us");
    began = System.nanoTime();
    lab.restart();
    System.out.println(
        "restart over 50 pods: " + Duration.ofNanos(System.nanoTime() - began).toMillis() + " ms");
    assertThat(lab.runtime().containers(ContainerFilter.ALL))
        .allSatisfy(
            container -> assertThat(container.state()).isInstanceOf(ContainerState.Running.class));
    List<Future<?>> removals = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (var pod : lab.runtime().pods(PodFilter.ALL)) {
        removals.add(threads.submit(() -> lab.runtime().removePod(pod.id(), LATER)));
      }
    }
    for (Future<?> removal : removals) {
      removal.get();
    }
    assertThat(lab.traces()).isEmpty();
  }
}
