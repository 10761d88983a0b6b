package io.jrt.core.life;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrt.linux.Kernel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class KernelLogTest {
  @TempDir private Path directory;

  /** A file gives all its records at once where the device gives one at a time. */
  private KernelLog.Victim ask(String record, int pid, Instant startedAt) throws IOException {
    Path device = Files.writeString(directory.resolve("kmsg"), record);
    KernelLog log = new KernelLog(Kernel.open().files(), device);
    return log.victim(pid, startedAt, Instant.now());
  }

  private static String record(long secondsAgo, int victim) {
    return "3,100,%d,-;Memory cgroup out of memory: Killed process %d (tail) total-vm:1kB\n"
        .formatted(System.nanoTime() / 1000 - secondsAgo * 1_000_000, victim);
  }

  @Test
  void theVictimIsToldByItsNumber() throws IOException {
    Instant startedAt = Instant.now().minusSeconds(60);
    assertThat(ask(record(20, 4711), 4711, startedAt)).isEqualTo(KernelLog.Victim.YES);
    assertThat(ask(record(20, 4711), 471, startedAt)).isEqualTo(KernelLog.Victim.NO);
  }

  @Test
  void anEarlierProcessOfTheSameNumberIsAnother() throws IOException {
    assertThat(ask(record(600, 4711), 4711, Instant.now().minusSeconds(60)))
        .isEqualTo(KernelLog.Victim.NO);
  }

  @Test
  void aLogThatDoesNotReachBackSaysNothing() throws IOException {
    assertThat(ask(record(0, 1), 4711, Instant.now().minusSeconds(60)))
        .isEqualTo(KernelLog.Victim.UNTOLD);
    assertThat(ask("", 4711, Instant.now())).isEqualTo(KernelLog.Victim.UNTOLD);
  }

  @Test
  void noLogSaysNothing() {
    KernelLog log = new KernelLog(Kernel.open().files(), directory.resolve("none"));
    assertThat(log.victim(1, Instant.now(), Instant.now())).isEqualTo(KernelLog.Victim.UNTOLD);
  }
}
