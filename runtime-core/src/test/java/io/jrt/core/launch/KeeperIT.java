package io.jrt.core.launch;

import static io.jrt.core.launch.LaunchFixture.LIMIT;
import static io.jrt.core.launch.LaunchFixture.process;
import static io.jrt.core.launch.LaunchFixture.shell;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrt.core.launch.LaunchFixture.Request;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Signals;
import java.io.BufferedReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Containers outlive the daemon, and nothing of what they did meanwhile is lost. */
class KeeperIT {
  private LaunchFixture fixture;
  private Path rootfs;
  private Path keeperDir;

  @BeforeEach
  void open() throws Exception {
    fixture = new LaunchFixture();
    rootfs = fixture.rootfs("rootfs");
    keeperDir = fixture.keeperDir();
  }

  @AfterEach
  void close() throws Exception {
    fixture.close();
  }

  /** Starts the script as a container of a daemon of its own and kills that with SIGKILL. */
  private void startAndKillDaemon(String io, String script) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(
        List.of(
            "--enable-native-access=ALL-UNNAMED",
            "-Djnr.ffi.x86asm.enabled=false",
            "-Djffi.unsafe.disabled=true",
            "-XX:TieredStopAtLevel=1",
            "-Djrt.init=" + System.getProperty("jrt.init"),
            "-cp",
            System.getProperty("java.class.path"),
            DaemonStandIn.class.getName()));
    command.addAll(List.of(rootfs.toString(), keeperDir.toString(), io, script));
    Process daemon =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    try (BufferedReader out = daemon.inputReader(StandardCharsets.UTF_8)) {
      assertThat(out.readLine()).startsWith("started ");
    } finally {
      daemon.destroyForcibly().waitFor();
    }
  }

  private LiveContainer held() {
    Adopted adopted = fixture.launcher.adopt(keeperDir);
    assertThat(adopted).isInstanceOf(Adopted.Held.class);
    LiveContainer container = ((Adopted.Held) adopted).container();
    fixture.started.add(container);
    return container;
  }

  @Test
  void exitAndOutputAreLearntByTheNextDaemon() throws Exception {
    startAndKillDaemon("pipes", "echo before; read x; echo after $x; echo err >&2; exit 42");
    LiveContainer container = held();
    assertThat(container.exit()).isEmpty();
    assertThat(fixture.readUntil(container.stdout().orElseThrow(), "before")).isEqualTo("before\n");
    fixture.write(container.stdin().orElseThrow(), "word\n");
    LaunchFixture.Result result = fixture.finish(container);
    assertThat(result.out()).isEqualTo("after word\n");
    assertThat(result.err()).isEqualTo("err\n");
    assertThat(result.status()).isEqualTo(42);
    assertThat(fixture.launcher.adopt(keeperDir))
        .isInstanceOfSatisfying(
            Adopted.Ended.class, ended -> assertThat(ended.exit()).isEqualTo(result.exit()));
  }

  @Test
  void exitWhileNoDaemonRanIsExact() throws Exception {
    startAndKillDaemon("pipes", "echo last words; exit 42");
    for (int i = 0; i < 1000 && !Files.exists(keeperDir.resolve("exit")); i++) {
      Thread.sleep(5);
    }
    LiveContainer container = held();
    assertThat(container.exit().orElseThrow().status()).isEqualTo(42);
    assertThat(container.pidfd()).isEmpty();
    assertThat(container.kill(Signals.SIGTERM)).isFalse();
    assertThat(fixture.finish(container).out()).isEqualTo("last words\n");
  }

  @Test
  void moreOutputThanPipesHoldWaitsAndIsWhole() throws Exception {
    startAndKillDaemon("pipes", "dd if=/dev/zero bs=1000 count=3000 2>/dev/null | cat; exit 3");
    Thread.sleep(100);
    LiveContainer container = held();
    LaunchFixture.Result result = fixture.finish(container);
    assertThat(result.out()).hasSize(3_000_000);
    assertThat(result.status()).isEqualTo(3);
  }

  @Test
  void terminalOutlivesTheDaemon() throws Exception {
    startAndKillDaemon("terminal", "read x; stty size; exit 9");
    LiveContainer container = held();
    container.resize(31, 101);
    fixture.write(container.terminal().orElseThrow(), "\n");
    assertThat(fixture.readUntil(container.terminal().orElseThrow(), "31 101")).isNotEmpty();
    assertThat(container.awaitExit(LIMIT).orElseThrow().status()).isEqualTo(9);
  }

  @Test
  void stdinCanBeClosedByTheNextDaemon() throws Exception {
    startAndKillDaemon("pipes", "cat; exit 5");
    LiveContainer container = held();
    fixture.write(container.stdin().orElseThrow(), "all");
    container.closeStdin();
    LaunchFixture.Result result = fixture.finish(container);
    assertThat(result.out()).isEqualTo("all");
    assertThat(result.status()).isEqualTo(5);
  }

  @Test
  void execWorksAfterAdoption() throws Exception {
    startAndKillDaemon("pipes", "exec sleep 1000");
    LiveContainer container = held();
    LiveExec exec =
        container.exec(
            new ExecSpec(shell("echo in $(cat /proc/1/comm)"), CgroupPlacement.NONE, false),
            new LaunchIo.Pipes(false));
    assertThat(fixture.run(exec).out()).isEqualTo("in sleep\n");
  }

  @Test
  void killedKeeperIsALossAndTheContainerEnds() throws Exception {
    LiveContainer container =
        fixture.start(new Request(rootfs, process("sleep", "1000")), keeperDir);
    int keeper = Integer.parseInt(Files.readString(keeperDir.resolve("keeper")).split(" ", -1)[0]);
    assertThat(fixture.kernel.processes().kill(keeper, Signals.SIGKILL)).isTrue();
    assertThatThrownBy(() -> container.awaitExit(LIMIT))
        .isInstanceOfSatisfying(
            JrtException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.DATA_LOSS));
    assertThat(fixture.launcher.adopt(keeperDir)).isInstanceOf(Adopted.Lost.class);
    for (int i = 0; i < 500 && Files.exists(Path.of("/proc/" + container.pid())); i++) {
      Thread.sleep(10);
    }
    assertThat(fixture.kernel.processes().startTime(container.pid()).orElse(-1))
        .isNotEqualTo(container.startTime());
  }

  @Test
  void emptyDirectoryNeverStarted() {
    assertThat(fixture.launcher.adopt(keeperDir)).isInstanceOf(Adopted.NeverStarted.class);
  }

  @Test
  void oneDirectoryKeepsOneContainer() throws Exception {
    fixture.start(new Request(rootfs, process("sleep", "1000")), keeperDir);
    assertThatThrownBy(() -> fixture.start(new Request(rootfs, process("true")), keeperDir))
        .isInstanceOfSatisfying(
            JrtException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.ALREADY_EXISTS));
    assertThat(fixture.launcher.adopt(keeperDir)).isInstanceOf(Adopted.Held.class);
  }

  @Test
  void twoHundredLaunchesLeakNothing() throws Exception {
    fixture.run(rootfs, "true");
    long descriptors = ExecIT.descriptors();
    long mounts = mountCount();
    long[] started = new long[200];
    long[] whole = new long[started.length];
    for (int i = 0; i < started.length; i++) {
      long begin = System.nanoTime();
      LiveContainer container = fixture.start(rootfs, process("true"));
      started[i] = (System.nanoTime() - begin) / 1000;
      assertThat(container.awaitExit().status()).isZero();
      container.acknowledge();
      container.close();
      whole[i] = (System.nanoTime() - begin) / 1000;
      fixture.started.clear();
    }
    Arrays.sort(started);
    Arrays.sort(whole);
    System.out.printf(
        "launch true: started median %d us, p95 %d us; to its acknowledged end median %d us%n",
        started[100], started[190], whole[100]);
    assertThat(ExecIT.descriptors()).isEqualTo(descriptors);
    assertThat(mountCount()).isEqualTo(mounts);
    assertThat(ProcessHandle.current().children()).isEmpty();
  }

  private static long mountCount() throws Exception {
    try (var lines = Files.lines(Path.of("/proc/self/mountinfo"))) {
      return lines.count();
    }
  }

  @Test
  void keeperIsSmall() throws Exception {
    fixture.start(new Request(rootfs, process("sleep", "1000")), keeperDir);
    int keeper = Integer.parseInt(Files.readString(keeperDir.resolve("keeper")).split(" ", -1)[0]);
    String rollup = Files.readString(Path.of("/proc/" + keeper + "/smaps_rollup"));
    System.out.println(
        rollup.lines().filter(l -> l.startsWith("Rss:") || l.startsWith("Pss:")).toList());
    assertThat(Files.readString(Path.of("/proc/" + keeper + "/comm"))).isEqualTo("jrt-keeper\n");
  }
}
