package io.jrt.core.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrt.linux.FailPoints;
import io.jrt.linux.SimulatedDisk;
import io.jrt.linux.WholeFile.Durability;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Records on a disk that stops before each of its changes, by the daemon's death or the machine's,
 * and fills up: what was answered is there, what was under way is as before or as after, and no
 * record is ever damaged but those that say of themselves that they do not outlive the machine.
 *
 * <p>{@code make fault} ({@code -Djrt.fault=full}) tries many more scripts; {@code -Djrt.seed=}
 * repeats one.
 */
class StoreSimulationTest {
  private static final int SCRIPTS =
      System.getProperty("jrt.fault", "").equals("full") ? 2_000 : 20;
  private static final int STEPS = 12;
  private static final List<String> IDS = List.of("a", "b", "c");

  private final long seed = Long.getLong("jrt.seed", System.nanoTime());

  private record Thing(String id, int number, String text) {}

  /** What may be found of a record: each of these contents, or none. */
  private static final class Expected {
    final Map<String, Set<Optional<Thing>>> now = new HashMap<>();

    /** After the machine's death. */
    final Map<String, Set<Optional<Thing>>> later = new HashMap<>();

    /** Those that were written so that a power cut may damage them. */
    final Set<String> fragile = new HashSet<>();

    Expected() {
      for (String id : IDS) {
        is(id, Optional.empty());
      }
    }

    void is(String id, Optional<Thing> content) {
      now.put(id, Set.of(content));
      later.put(id, Set.of(content));
      fragile.remove(id);
    }

    void begins(String id, Optional<Thing> content, Durability durability) {
      now.put(id, with(now.getOrDefault(id, Set.of()), content));
      later.put(id, with(later.getOrDefault(id, Set.of()), content));
      if (durability == Durability.CRASH && content.isPresent()) {
        fragile.add(id);
      }
    }

    void done(String id, Optional<Thing> content, Durability durability) {
      if (durability == Durability.POWER_CUT) {
        is(id, content);
      } else {
        now.put(id, Set.of(content));
      }
    }

    private static Set<Optional<Thing>> with(
        Set<Optional<Thing>> contents, Optional<Thing> another) {
      Set<Optional<Thing>> all = new HashSet<>(contents);
      all.add(another);
      return all;
    }
  }

  private static RecordStore<Thing> store(SimulatedDisk disk) {
    return new RecordStore<>(
        disk.root().resolve("things"), "thing", 1, Thing.class, e -> e, FailPoints.none());
  }

  private static Optional<Thing> content(Random random, String id) {
    return random.nextInt(4) == 0
        ? Optional.empty()
        : Optional.of(new Thing(id, random.nextInt(), "x".repeat(random.nextInt(120))));
  }

  private static void step(Random random, RecordStore<Thing> store, Expected expected) {
    String id = IDS.get(random.nextInt(IDS.size()));
    Durability[] all = Durability.values();
    Durability durability = all[random.nextInt(all.length)];
    Optional<Thing> content = content(random, id);
    expected.begins(id, content, durability);
    if (content.isPresent()) {
      store.put(id, content.get(), durability);
    } else {
      store.remove(id, durability);
    }
    expected.done(id, content, durability);
  }

  /** What a start finds is what may be there; from then on it is known. */
  private static void check(SimulatedDisk disk, Expected expected, boolean machineDied, String what)
      throws Exception {
    RecordStore.Loaded<Thing> loaded = store(disk).load();
    if (machineDied) {
      for (RecordStore.Damaged damaged : loaded.damaged()) {
        String id = damaged.file().getFileName().toString().replace(".json", "");
        assertThat(expected.fragile).as("%s: %s", what, damaged).contains(id);
        expected.later.put(id, Set.of(Optional.empty()));
      }
    } else {
      assertThat(loaded.damaged()).as(what).isEmpty();
    }
    Map<String, Thing> found = new HashMap<>();
    loaded.records().forEach(thing -> found.put(thing.id(), thing));
    for (String id : IDS) {
      Optional<Thing> is = Optional.ofNullable(found.get(id));
      assertThat(machineDied ? expected.later.get(id) : expected.now.get(id))
          .as("%s: record %s", what, id)
          .contains(is);
      if (machineDied) {
        expected.is(id, is);
      } else {
        expected.now.put(id, Set.of(is));
      }
    }
    try (Stream<Path> left = Files.list(disk.root().resolve("things"))) {
      assertThat(left.map(Path::toString).filter(name -> name.endsWith(".tmp"))).as(what).isEmpty();
    }
  }

  @Test
  void everyChangeCanBeTheLast() throws Exception {
    System.out.println("seed " + seed);
    long deaths = 0;
    for (int script = 0; script < SCRIPTS; script++) {
      for (boolean machine : new boolean[] {false, true}) {
        boolean more = true;
        for (long cut = 1; more; cut++) {
          String what = "seed %d, script %d, change %d".formatted(seed, script, cut);
          more = dieAndGoOn(seed + script, cut, machine, what);
          deaths += more ? 1 : 0;
        }
      }
    }
    System.out.println("deaths between two changes of the disk: " + deaths);
    assertThat(deaths).isGreaterThan(SCRIPTS);
  }

  /** Answers false when the script ended before that change. */
  private static boolean dieAndGoOn(long seed, long cut, boolean machine, String what)
      throws Exception {
    SimulatedDisk disk = new SimulatedDisk();
    Files.createDirectory(disk.root().resolve("things"));
    sync(disk);
    Expected expected = new Expected();
    Random script = new Random(seed);
    Random chance = new Random(seed * 31 + cut);
    long before = disk.changes();
    disk.cutPowerBefore(before + cut);
    boolean died = false;
    try {
      RecordStore<Thing> store = store(disk);
      for (int i = 0; i < STEPS; i++) {
        step(script, store, expected);
      }
    } catch (SimulatedDisk.PowerCut end) {
      died = true;
    }
    disk = machine ? disk.afterPowerCut(chance) : disk.afterProcessDeath();
    // The next daemon may die while it reads and tidies up, and so may the one after it.
    for (int i = 0; i < 2; i++) {
      disk.cutPowerBefore(disk.changes() + 1 + i);
      try {
        store(disk).load();
      } catch (SimulatedDisk.PowerCut end) {
        disk.afterProcessDeath();
      }
      disk.afterProcessDeath();
    }
    if (machine) {
      forgetSetAside(disk, expected);
    }
    check(disk, expected, machine, what);
    // And it works as ever.
    RecordStore<Thing> store = store(disk);
    for (int i = 0; i < 3; i++) {
      step(script, store, expected);
    }
    check(disk, expected, false, what + ", afterwards");
    return died;
  }

  /** What an earlier start set aside is gone for later ones. */
  private static void forgetSetAside(SimulatedDisk disk, Expected expected) throws Exception {
    Path aside = disk.root().resolve("things/damaged");
    if (Files.isDirectory(aside)) {
      try (Stream<Path> files = Files.list(aside)) {
        for (Path file : files.toList()) {
          String id = file.getFileName().toString().split("\\.")[0];
          assertThat(expected.fragile).contains(id);
          expected.later.put(id, Set.of(Optional.empty()));
        }
      }
    }
  }

  private static void sync(SimulatedDisk disk) throws Exception {
    try (var top = java.nio.channels.FileChannel.open(disk.root())) {
      top.force(true);
    }
  }

  @Test
  void aFullDiskLeavesTheOldOrTheNewRecord() throws Exception {
    System.out.println("seed " + seed);
    int refused = 0;
    for (int script = 0; script < SCRIPTS; script++) {
      Random random = new Random(seed + script);
      SimulatedDisk disk = new SimulatedDisk();
      RecordStore<Thing> store = store(disk);
      Expected expected = new Expected();
      List<String> kinds = new ArrayList<>();
      for (int i = 0; i < STEPS * 4; i++) {
        disk.failChanges(
            disk.changes() + 1 + random.nextInt(8),
            1 + random.nextInt(6),
            random.nextBoolean() ? "No space left on device" : "Read-only file system");
        try {
          step(random, store, expected);
        } catch (io.jrt.errors.JrtException e) {
          kinds.add(e.kind().name());
          refused++;
        }
        disk.failChanges(Long.MAX_VALUE, 0, "");
        check(disk, expected, false, "seed %d, script %d, step %d".formatted(seed, script, i));
      }
      assertThat(kinds).as("seed %d", seed).isSubsetOf("NO_SPACE", "UNAVAILABLE");
    }
    System.out.println("changes that were refused: " + refused);
    assertThat(refused).isGreaterThan(SCRIPTS);
  }
}
