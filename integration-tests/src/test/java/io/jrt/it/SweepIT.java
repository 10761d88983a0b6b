package io.jrt.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code dist/dev/sweep} takes away what a test that is dead has left, and nothing else. */
class SweepIT {
  private static final Path SWEEP = Path.of("../dist/dev/sweep").toAbsolutePath().normalize();

  @TempDir private Path directory;
  private final List<Process> started = new ArrayList<>();

  @AfterEach
  void end() {
    started.forEach(Process::destroyForcibly);
  }

  private Process start(String... command) throws IOException {
    Process process = new ProcessBuilder(command).start();
    started.add(process);
    return process;
  }

  private static void run(String... command) throws Exception {
    assertThat(new ProcessBuilder(command).inheritIO().start().waitFor()).isZero();
  }

  /** As a test leaves it: a mount in its directory, and a process that works there. */
  private Process leave(Path home) throws Exception {
    Path mount = Files.createDirectories(home.resolve("root/mount"));
    run("mount", "-t", "tmpfs", "tmpfs", mount.toString());
    Files.writeString(mount.resolve("file"), "x");
    return start("sh", "-c", "read line", home.resolve("root").toString());
  }

  @Test
  void whatTheDeadHaveLeftGoesAndWhatTheLivingHaveStays() throws Exception {
    Process owner = start("true");
    assertThat(owner.waitFor()).isZero();
    Path dead = directory.resolve("jrt-it-" + owner.pid() + "-1");
    Path living = directory.resolve("jrt-it-" + ProcessHandle.current().pid() + "-1");
    Process theirs = leave(dead);
    Process ours = leave(living);
    Path foreign = Files.createDirectory(directory.resolve("jrt-it-2843953286740130166"));
    Path other = Files.createDirectory(directory.resolve("other-" + owner.pid() + "-1"));
    Path target = Files.createDirectory(directory.resolve("target"));
    Files.writeString(target.resolve("file"), "x");
    Files.createSymbolicLink(directory.resolve("jrt-it-" + owner.pid() + "-2"), target);
    try {
      ProcessBuilder sweep = new ProcessBuilder(SWEEP.toString()).redirectErrorStream(true);
      sweep.environment().put("TMPDIR", directory.toString());
      Process swept = sweep.start();
      String said = new String(swept.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(swept.waitFor()).as(said).isZero();

      assertThat(said).contains(dead.toString()).doesNotContain(living.toString());
      assertThat(dead).doesNotExist();
      assertThat(Files.readString(Path.of("/proc/self/mounts"))).doesNotContain(dead + "/");
      assertThat(theirs.waitFor(10, TimeUnit.SECONDS)).isTrue();

      assertThat(living.resolve("root/mount/file")).hasContent("x");
      assertThat(ours.isAlive()).isTrue();
      assertThat(foreign).exists();
      assertThat(other).exists();
      assertThat(target.resolve("file")).hasContent("x");
    } finally {
      run("umount", living.resolve("root/mount").toString());
    }
  }
}
