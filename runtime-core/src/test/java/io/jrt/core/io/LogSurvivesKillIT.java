package io.jrt.core.io;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.jrt.linux.Fd;
import io.jrt.linux.Kernel;
import io.jrt.linux.OpenFlags;
import io.jrt.linux.Pipe;
import io.jrt.linux.SpawnRequest;
import io.jrt.linux.WaitResult;
import java.io.ByteArrayOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A container prints as fast as it can while the daemon is killed again and again: every byte is in
 * the log, once, in order. The test holds the pipes, as the keeper does.
 */
@Timeout(300)
class LogSurvivesKillIT {
  private static final Kernel KERNEL = Kernel.open();
  private static final int KILLS = Integer.getInteger("jrt.test.kills", 12);

  @TempDir private Path directory;
  private volatile boolean enough;

  @Test
  void eachByteIsLoggedOnceHoweverOftenTheDaemonIsKilled() throws Exception {
    long seed = Long.getLong("jrt.test.seed", System.nanoTime());
    Random random = new Random(seed);
    try (Pipe stdout = KERNEL.files().pipe2(0);
        Pipe stderr = KERNEL.files().pipe2(0)) {
      Writer out = new Writer(stdout.write(), new Random(seed + 1));
      Writer err = new Writer(stderr.write(), new Random(seed + 2));
      Thread outThread = Thread.ofPlatform().start(out);
      Thread errThread = Thread.ofPlatform().start(err);
      for (int i = 0; i < KILLS; i++) {
        int pid = startDaemon(stdout, stderr);
        Thread.sleep(random.nextInt(400));
        assertThat(KERNEL.processes().kill(pid, 9)).isTrue();
        assertThat(waitFor(pid)).isEqualTo(new WaitResult.Signaled(9, false));
      }
      int last = startDaemon(stdout, stderr);
      enough = true;
      outThread.join();
      errThread.join();
      Files.createFile(directory.resolve("end"));
      assertThat(waitFor(last)).isEqualTo(new WaitResult.Exited(0));
      String log = Files.readString(directory.resolve("logs/0.log"), ISO_8859_1);
      assertSame("stdout", out, log, seed);
      assertSame("stderr", err, log, seed);
    }
  }

  private static void assertSame(String stream, Writer writer, String log, long seed) {
    StringBuilder content = new StringBuilder();
    int from = 0;
    for (int at = log.indexOf('\n'); at >= 0; at = log.indexOf('\n', from)) {
      String[] parts = log.substring(from, at).split(" ", 4);
      if (parts[1].equals(stream)) {
        content.append(parts[3]);
        if (parts[2].equals("F")) {
          content.append('\n');
        }
      }
      from = at + 1;
    }
    byte[] logged = content.toString().getBytes(ISO_8859_1);
    byte[] written = writer.written.toByteArray();
    int same = 0;
    while (same < Math.min(logged.length, written.length) && logged[same] == written[same]) {
      same++;
    }
    String what = stream + " is logged as printed; seed " + seed + ", same up to " + same;
    assertThat(logged.length).as(what).isEqualTo(written.length);
    assertThat(same).as(what).isEqualTo(written.length);
    assertThat(same).as("enough was printed to mean something").isGreaterThan(100_000);
  }

  private int startDaemon(Pipe stdout, Pipe stderr) throws Exception {
    String classPath =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    List<byte[]> arguments = new ArrayList<>();
    for (String argument :
        List.of(
            "java",
            "-Xshare:auto",
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "--enable-native-access=ALL-UNNAMED",
            "-Djnr.ffi.x86asm.enabled=false",
            "-Djffi.unsafe.disabled=true",
            "-cp",
            classPath,
            DaemonToKill.class.getName(),
            directory.toString())) {
      arguments.add(argument.getBytes(UTF_8));
    }
    Path messages = directory.resolve("daemon.out");
    int flags = OpenFlags.O_WRONLY | OpenFlags.O_CREAT | OpenFlags.O_APPEND;
    try (Fd none = KERNEL.files().open(Path.of("/dev/null"), OpenFlags.O_RDONLY);
        Fd said = KERNEL.files().open(messages, flags, 0600)) {
      int pid =
          KERNEL
              .processes()
              .spawn(
                  new SpawnRequest(
                      Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                      arguments,
                      List.of(),
                      Map.of(0, none, 1, said, 2, said, 3, stdout.read(), 4, stderr.read()),
                      true));
      while (!Files.exists(directory.resolve("started-" + pid))) {
        assertThat(ProcessHandle.of(pid).filter(ProcessHandle::isAlive))
            .as(() -> read(messages))
            .isPresent();
        Thread.sleep(5);
      }
      return pid;
    }
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (java.io.IOException e) {
      return e.toString();
    }
  }

  private static WaitResult waitFor(int pid) {
    try (Fd pidfd = KERNEL.processes().pidfdOpen(pid)) {
      return KERNEL.processes().waitFor(pidfd);
    }
  }

  /** Prints lines that are much alike, of all lengths, in pieces of all sizes. */
  private final class Writer implements Runnable {
    private final Fd pipe;
    private final Random random;
    private final ByteArrayOutputStream written = new ByteArrayOutputStream();

    Writer(Fd pipe, Random random) {
      this.pipe = pipe;
      this.random = random;
    }

    @Override
    public void run() {
      while (!enough && written.size() < 200_000_000) {
        byte[] piece = piece();
        KERNEL.files().writeFully(pipe, piece);
        written.writeBytes(piece);
        if (random.nextInt(50) == 0) {
          java.util.concurrent.locks.LockSupport.parkNanos(random.nextInt(2_000_000));
        }
      }
    }

    private byte[] piece() {
      return switch (random.nextInt(8)) {
        case 0 -> "y".getBytes(UTF_8);
        case 1 -> "y\n".repeat(random.nextInt(20_000)).getBytes(UTF_8);
        case 2 -> "no end ".repeat(random.nextInt(6_000)).getBytes(UTF_8);
        case 3 -> "\n".getBytes(UTF_8);
        case 4 -> "äöü€\n".repeat(random.nextInt(100)).getBytes(UTF_8);
        default -> ("line " + random.nextInt(10) + "\n").repeat(1000).getBytes(UTF_8);
      };
    }
  }
}
