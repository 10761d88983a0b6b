package io.jrt.events;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrt.linux.SimulatedDisk;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/**
 * The journal on a disk that stops before each of its changes, under a clock that jumps: the
 * daemon's death takes no event that was flushed, and the machine's no event that it did not have
 * to take; the order of events is never lost, and the next daemon writes on.
 *
 * <p>{@code make fault} ({@code -Djrt.fault=full}) tries many more scripts; {@code -Djrt.seed=}
 * repeats one.
 */
class JournalSimulationTest {
  private static final int SCRIPTS = System.getProperty("jrt.fault", "").equals("full") ? 60 : 2;
  private static final int STRIDE = SCRIPTS > 2 ? 1 : 5;
  private static final int EVENTS = 60;
  private static final int AT_ONCE = 6;
  private static final long BYTES = 8192; // the least: files of 4096 bytes take turns

  private final long seed = Long.getLong("jrt.seed", System.nanoTime());

  private static Clock jumping(Random random) {
    Instant start = Instant.parse("2024-01-01T00:00:00Z");
    return new Clock() {
      @Override
      public java.time.ZoneId getZone() {
        return ZoneOffset.UTC;
      }

      @Override
      public Clock withZone(java.time.ZoneId zone) {
        return this;
      }

      @Override
      public Instant instant() {
        return start.plusSeconds(random.nextInt(1_000_000) - 500_000L);
      }
    };
  }

  private static JournaledEvents open(SimulatedDisk disk, Random random) {
    return JournaledEvents.open(disk.root().resolve("events"), 10, BYTES, jumping(random));
  }

  private static List<Long> sequences(JournaledEvents events) {
    return events.history(Instant.MIN, Integer.MAX_VALUE).stream().map(Recorded::sequence).toList();
  }

  @Test
  void everyChangeCanBeTheLast() throws Exception {
    System.out.println("seed " + seed);
    // The writer's thread dies with the machine, and says so as threads do.
    Thread.UncaughtExceptionHandler usual = Thread.getDefaultUncaughtExceptionHandler();
    Thread.setDefaultUncaughtExceptionHandler((thread, death) -> {});
    int deaths = 0;
    try {
      for (int script = 0; script < SCRIPTS; script++) {
        for (boolean machine : new boolean[] {false, true}) {
          boolean more = true;
          for (long cut = 1; more; cut += STRIDE) {
            more = dieAndGoOn(seed + script, cut, machine);
            deaths += more ? 1 : 0;
          }
        }
      }
    } finally {
      Thread.setDefaultUncaughtExceptionHandler(usual);
    }
    System.out.println("deaths between two changes of the disk: " + deaths);
    assertThat(deaths).isGreaterThan(SCRIPTS);
  }

  /** Waits for the event's whole line, as writes come in pieces; false when the writer is dead. */
  private static boolean awaitWritten(SimulatedDisk disk, long sequence, long cut)
      throws IOException {
    Path journal = disk.root().resolve("events/events.jsonl");
    while (disk.changes() < cut) {
      String lines = read(journal);
      int line = lines.indexOf("\"sequence\":" + sequence + ",");
      if (line >= 0 && lines.indexOf('\n', line) >= 0) {
        return true;
      }
      LockSupport.parkNanos(50_000);
    }
    return false;
  }

  /** Between two files of the journal there is none for a moment. */
  private static String read(Path journal) throws IOException {
    try {
      return Files.readString(journal);
    } catch (NoSuchFileException e) {
      return "";
    }
  }

  private static boolean dieAndGoOn(long seed, long cut, boolean machine) throws Exception {
    String what = "seed %d, change %d, machine %s".formatted(seed, cut, machine);
    Random random = new Random(seed);
    SimulatedDisk disk = new SimulatedDisk();
    disk.cutPowerBefore(cut);
    List<Long> flushed = new ArrayList<>();
    JournaledEvents first;
    try {
      first = open(disk, random);
    } catch (SimulatedDisk.PowerCut end) {
      return true;
    }
    boolean died = false;
    for (long i = 1; i <= EVENTS && !died; i++) {
      first.publish(new PodEvent.Stopped("pod" + i, "x".repeat(random.nextInt(200))));
      if (i % AT_ONCE == 0) {
        died = !awaitWritten(disk, i, cut);
        for (long sequence = i - AT_ONCE + 1; !died && sequence <= i; sequence++) {
          flushed.add(sequence);
        }
      }
    }
    disk = machine ? disk.afterPowerCut(new Random(seed * 31 + cut)) : disk.afterProcessDeath();
    try (JournaledEvents next = open(disk, random)) {
      List<Long> found = sequences(next);
      assertThat(found).as(what).isSorted().doesNotHaveDuplicates();
      if (!machine) {
        // The older of the two files goes when a third is wanted: what is there has no gap.
        long last = flushed.isEmpty() ? 0 : flushed.getLast();
        long from = found.isEmpty() ? last + 1 : found.getFirst();
        assertThat(found).as(what).containsAll(flushed.stream().filter(s -> s >= from).toList());
        assertThat(found.size()).as(what).isGreaterThanOrEqualTo(Math.min(flushed.size(), 10));
      }
      long before = next.lastSequence();
      next.publish(new PodEvent.Stopped("after", ""));
      assertThat(next.history(Instant.MIN, 1).getFirst().sequence()).as(what).isEqualTo(before + 1);
    }
    try (JournaledEvents third = open(disk, random)) {
      assertThat(third.history(Instant.MIN, 1).getFirst().event())
          .as(what)
          .isEqualTo(new PodEvent.Stopped("after", ""));
    }
    return died;
  }
}
