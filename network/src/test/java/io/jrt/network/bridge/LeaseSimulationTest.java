package io.jrt.network.bridge;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrt.errors.JrtException;
import io.jrt.linux.SimulatedDisk;
import io.jrt.network.Cidr;
import io.jrt.network.PodRef;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Addresses and their leases on a disk that stops before each of its changes, or is full: no
 * address is given out twice, none that a pod was told is forgotten, and none stays taken.
 *
 * <p>{@code make fault} ({@code -Djrt.fault=full}) tries many more scripts; {@code -Djrt.seed=}
 * repeats one.
 */
class LeaseSimulationTest {
  private static final int SCRIPTS = System.getProperty("jrt.fault", "").equals("full") ? 1_000 : 8;
  private static final int STEPS = 10;
  private static final List<String> PODS = List.of("a", "b", "c", "d");

  private final long seed = Long.getLong("jrt.seed", System.nanoTime());

  /** What the bridge provider does with leases and ranges, without interfaces. */
  private static final class Addresses {
    final LeaseStore leases;
    final PodRanges ranges;

    Addresses(SimulatedDisk disk) {
      leases = LeaseStore.open(disk.root().resolve("state/bridge"));
      ranges = PodRanges.open(disk.root().resolve("root"), List.of("10.1.0.0/29"), leases.last());
      leases.all().forEach(lease -> ranges.restore(lease.cidrs()));
    }

    void attach(String pod) {
      List<Cidr> addresses = ranges.take();
      Lease lease =
          new Lease(
              new PodRef(pod, "", "", ""),
              Lease.State.ATTACHING,
              "/n/" + pod,
              "v" + pod,
              addresses.stream().map(Cidr::toString).toList(),
              "02:00:00:00:00:01",
              0,
              List.of(),
              List.of());
      leases.put(lease);
      leases.putLast(ranges::last);
      leases.put(lease.attached(1500));
    }

    void detach(String pod) {
      leases
          .find(pod)
          .ifPresent(
              lease -> {
                leases.note(lease.in(Lease.State.RELEASING));
                leases.remove(pod);
                ranges.release(lease.cidrs());
              });
    }
  }

  @Test
  void everyChangeCanBeTheDaemonsLast() throws Exception {
    System.out.println("seed " + seed);
    int deaths = 0;
    for (int script = 0; script < SCRIPTS; script++) {
      boolean more = true;
      for (long cut = 1; more; cut++) {
        more = dieAndGoOn(script, cut);
        deaths += more ? 1 : 0;
      }
    }
    System.out.println("deaths between two changes of the disk: " + deaths);
    assertThat(deaths).isGreaterThan(SCRIPTS);
  }

  private boolean dieAndGoOn(int script, long cut) throws Exception {
    String what = "seed %d, script %d, change %d".formatted(seed, script, cut);
    Random random = new Random(seed + script);
    SimulatedDisk disk = new SimulatedDisk();
    Files.createDirectories(disk.root().resolve("state"));
    disk.cutPowerBefore(disk.changes() + cut);
    Set<String> told = new TreeSet<>();
    Set<String> maybe = new TreeSet<>();
    boolean died = false;
    try {
      Addresses addresses = new Addresses(disk);
      for (int i = 0; i < STEPS; i++) {
        String pod = PODS.get(random.nextInt(PODS.size()));
        maybe.add(pod);
        if (told.remove(pod)) {
          addresses.detach(pod);
        } else {
          addresses.attach(pod);
          told.add(pod);
        }
        maybe.remove(pod);
      }
    } catch (SimulatedDisk.PowerCut end) {
      died = true;
    }
    disk.afterProcessDeath();
    Addresses next = new Addresses(disk);
    Set<String> found = new TreeSet<>();
    next.leases.all().forEach(lease -> found.add(lease.sandboxId()));
    assertThat(found).as(what).containsAll(told);
    found.removeAll(told);
    assertThat(maybe).as(what).containsAll(found);
    for (String pod : PODS) {
      if (!told.contains(pod)) {
        next.detach(pod);
        next.attach(pod);
      }
    }
    Set<String> given = new HashSet<>();
    next.leases.all().forEach(lease -> given.addAll(lease.addresses()));
    assertThat(given).as("%s: addresses that differ", what).hasSize(PODS.size());
    PODS.forEach(next::detach);
    assertThat(next.ranges.pools().getFirst().inUse()).as(what).isFalse();
    next.leases.delete();
    assertThat(disk.root().resolve("state/bridge")).as(what).doesNotExist();
    return died;
  }

  @Test
  void afterAPowerCutTheNetworkStartsWhateverIsLeft() throws Exception {
    System.out.println("seed " + seed);
    for (int script = 0; script < SCRIPTS * 4; script++) {
      Random random = new Random(seed + script);
      SimulatedDisk disk = new SimulatedDisk();
      Files.createDirectories(disk.root().resolve("state"));
      Addresses addresses = new Addresses(disk);
      addresses.ranges.replace(List.of("10.2.0.0/28"));
      disk.cutPowerBefore(disk.changes() + 1 + random.nextInt(60));
      try {
        for (String pod : PODS) {
          addresses.attach(pod);
        }
        addresses.ranges.replace(List.of("10.3.0.0/28"));
        for (String pod : PODS) {
          addresses.detach(pod);
          addresses.attach(pod);
        }
      } catch (SimulatedDisk.PowerCut end) {
        assertThat(end).hasMessageContaining("power");
      }
      SimulatedDisk left = disk.afterPowerCut(random);
      Addresses next = new Addresses(left);
      for (String pod : PODS) {
        next.detach(pod);
        next.attach(pod);
      }
      // What was told last may be lost, not what was told before it was.
      assertThat(next.ranges.pools().getFirst().range().toString())
          .as("seed %d, script %d", seed, script)
          .isIn("10.1.0.0/29", "10.2.0.0/28", "10.3.0.0/28");
      Path damaged = left.root().resolve("root/damaged");
      if (Files.isDirectory(damaged)) {
        try (Stream<Path> ranges = Files.list(damaged)) {
          assertThat(ranges).as("seed %d, script %d", seed, script).isEmpty();
        }
      }
    }
  }

  @Test
  void aFullDiskKeepsNoPodAttached() {
    System.out.println("seed " + seed);
    SimulatedDisk disk = new SimulatedDisk();
    Addresses addresses = new Addresses(disk);
    addresses.attach("a");
    disk.failChanges(disk.changes() + 1, 1, "No space left on device");
    addresses.detach("a");
    assertThat(addresses.leases.all()).isEmpty();
    disk.failChanges(disk.changes() + 1, 1, "No space left on device");
    org.assertj.core.api.Assertions.assertThatThrownBy(() -> addresses.attach("b"))
        .isInstanceOf(JrtException.class);
  }
}
