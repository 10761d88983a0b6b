package io.jrt.core.io;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.jrt.core.io.ContainerIoSpec.LogTarget;
import io.jrt.linux.Kernel;
import io.jrt.linux.Pipe;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** One container floods its log; the others are not to notice. And a full disk. */
@Timeout(120)
class LogLoadIT {
  private static final Kernel KERNEL = Kernel.open();
  private static final int OTHERS = 300;
  private static final int LINES_EACH = 20;

  @TempDir private Path directory;
  private final List<Pipe> pipes = new ArrayList<>();
  private volatile boolean enough;

  @AfterEach
  void closePipes() {
    pipes.forEach(Pipe::close);
  }

  @Test
  void aFloodDoesNotStallTheOthers() throws Exception {
    try (IoEngine engine = IoEngine.open(KERNEL, directory.resolve("engine"))) {
      Path logs =
          Files.createTempDirectory(
              Path.of("/dev/shm"), "jrt-log-" + ProcessHandle.current().pid() + "-");
      try {
        Pipe flood = pipe();
        ContainerIo flooding = container(engine, logs, "flood", flood);
        List<Pipe> others = new ArrayList<>();
        List<ContainerIo> ios = new ArrayList<>();
        for (int i = 0; i < OTHERS; i++) {
          Pipe pipe = pipe();
          others.add(pipe);
          ios.add(container(engine, logs, "c" + i, pipe));
        }
        int threads = Thread.getAllStackTraces().size();
        Thread writer = Thread.ofPlatform().start(() -> flood(flood, logs.resolve("flood.log")));
        Thread.sleep(1000);
        long bytesBefore = flooding.stats().stdoutBytes();
        long began = System.nanoTime();
        long[] waits = new long[LINES_EACH * 15];
        for (int i = 0; i < waits.length; i++) {
          waits[i] = logOneLine(others.get(i % OTHERS), ios.get(i % OTHERS));
        }
        double seconds = (System.nanoTime() - began) / 1e9;
        double rate = (flooding.stats().stdoutBytes() - bytesBefore) / seconds / 1e6;
        enough = true;
        writer.join();
        Arrays.sort(waits);
        System.out.printf(
            "flood %.0f MB/s; a line of another container waited %.2f ms (median), %.2f ms (p99),"
                + " %.2f ms (max); %d threads for %d containers%n",
            rate,
            waits[waits.length / 2] / 1e6,
            waits[waits.length * 99 / 100] / 1e6,
            waits[waits.length - 1] / 1e6,
            threads,
            OTHERS + 1);
        assertThat(waits[waits.length / 2]).isLessThan(Duration.ofMillis(50).toNanos());
        assertThat(flooding.stats().droppedBytes()).isZero();
        assertThat(flooding.finish(Duration.ofSeconds(10))).isTrue();
      } finally {
        delete(logs);
      }
    }
  }

  /** How long it takes from the write until the engine has taken it. */
  private static long logOneLine(Pipe pipe, ContainerIo io) throws InterruptedException {
    long before = io.stats().stdoutBytes();
    long began = System.nanoTime();
    KERNEL.files().writeFully(pipe.write(), "a line\n".getBytes(UTF_8));
    while (io.stats().stdoutBytes() == before) {
      Thread.sleep(Duration.ofNanos(100_000));
    }
    return System.nanoTime() - began;
  }

  private void flood(Pipe pipe, Path log) {
    byte[] lines = ("x".repeat(99) + "\n").repeat(640).getBytes(UTF_8);
    long written = 0;
    while (!enough) {
      KERNEL.files().writeFully(pipe.write(), lines);
      written += lines.length;
      if (written > 100_000_000) {
        written = 0;
        truncate(log);
      }
    }
  }

  private static void truncate(Path log) {
    try {
      Files.write(log, new byte[0]);
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @Test
  void aFullDiskDropsWholeLinesAndNeverStopsTheContainer() throws Exception {
    Path logs = Files.createDirectory(directory.resolve("small"));
    run("mount", "-t", "tmpfs", "-o", "size=256k", "jrt-test", logs.toString());
    try (IoEngine engine = IoEngine.open(KERNEL, directory.resolve("engine"))) {
      Pipe pipe = pipe();
      ContainerIo io = container(engine, logs, "c", pipe);
      for (int i = 0; i < 20_000; i++) {
        KERNEL.files().writeFully(pipe.write(), "line %06d\n".formatted(i).getBytes(UTF_8));
      }
      while (io.stats().stdoutBytes() < 20_000 * 12) {
        Thread.sleep(5);
      }
      assertThat(io.stats().droppedBytes()).isPositive();
      Path log = logs.resolve("c.log");
      assertThat(Files.readString(log)).endsWith("\n");
      Files.move(log, logs.resolve("c.log.1"));
      Files.delete(logs.resolve("c.log.1"));
      io.reopenLog();
      KERNEL.files().writeFully(pipe.write(), "room again\n".getBytes(UTF_8));
      assertThat(io.finish(Duration.ofSeconds(5))).isTrue();
      assertThat(Files.readAllLines(log).getLast()).endsWith(" stdout F room again");
    } finally {
      run("umount", logs.toString());
    }
  }

  private Pipe pipe() {
    Pipe pipe = KERNEL.files().pipe2(0);
    pipes.add(pipe);
    return pipe;
  }

  private ContainerIo container(IoEngine engine, Path logs, String name, Pipe stdout) {
    ContainerIoSpec spec =
        new ContainerIoSpec(
            name,
            directory.resolve("state").resolve(name),
            new LogTarget.ToFile(logs, name + ".log"),
            false);
    return engine.container(spec, new Stdio.Outputs(stdout.read(), pipe().read()));
  }

  private static void run(String... command) throws Exception {
    assertThat(new ProcessBuilder(command).inheritIO().start().waitFor()).isZero();
  }

  private static void delete(Path tree) throws Exception {
    try (var all = Files.walk(tree)) {
      for (Path path : all.sorted(java.util.Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }
}
