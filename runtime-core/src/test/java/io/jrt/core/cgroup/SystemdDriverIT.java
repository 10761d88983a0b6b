package io.jrt.core.cgroup;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrt.core.systemd.BusServiceManager;
import io.jrt.linux.Kernel;
import io.jrt.security.DeviceRule;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;

/**
 * Against a real systemd on cgroup v2, as {@code SYSTEMD=1 make test-v2} boots one; skipped
 * elsewhere.
 */
@EnabledIf("systemdRuns")
class SystemdDriverIT {
  private static final String POD = "kubepods-besteffort-podjrttest.slice";
  private static final String POD_PATH =
      "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-podjrttest.slice";
  private static final String ID = "c".repeat(64);
  private static final String UNIT = "jrt-" + ID + ".scope";

  private final Kernel kernel = Kernel.open();
  private final CgroupManager manager = CgroupManager.detect(kernel);
  private final BusServiceManager bus = new BusServiceManager(BusServiceManager.SYSTEM_BUS, 0);
  private final SystemdDriver driver =
      new SystemdDriver(
          kernel, Path.of(System.getProperty("jrt.init")), manager, bus, "jrt-drivertest");
  private final List<Process> started = new ArrayList<>();

  static boolean systemdRuns() {
    return Files.isDirectory(Path.of("/run/systemd/system"))
        && Files.exists(Path.of("/sys/fs/cgroup/cgroup.controllers"));
  }

  @AfterEach
  void removeAll() {
    started.forEach(Process::destroyForcibly);
    for (String slice : List.of(POD, "jrt-drivertest.slice")) {
      manager.find(Slices.expand(slice)).ifPresent(c -> c.killAll(Duration.ofSeconds(10)));
      bus.stop(slice);
    }
    bus.close();
  }

  @Test
  void aContainerIsAScopeInItsPodsSlice() throws Exception {
    String path = container(limits(64 << 20));

    assertThat(path).isEqualTo(POD_PATH + "/" + UNIT + "/container");
    assertThat(show("Slice", "Delegate", "MemoryMax", "CPUQuotaPerSecUSec", "CPUWeight"))
        .containsEntry("Slice", POD)
        .containsEntry("Delegate", "yes")
        .containsEntry("MemoryMax", String.valueOf(64 << 20))
        .containsEntry("CPUQuotaPerSecUSec", "500ms")
        .containsEntry("CPUWeight", "100");
    assertThat(read(path, "memory.max")).isEqualTo(String.valueOf(64 << 20));
    assertThat(read(path, "cpu.max")).isEqualTo("50000 100000");
  }

  @Test
  void aScopeStaysWhileItsKeeperLivesAndGoesWithIt() throws Exception {
    String path = container(Resources.NONE);
    Process main = sleep();
    Process keeper = sleep();
    manager.find(path).orElseThrow().admit((int) main.pid());
    driver.settle(path, (int) keeper.pid());
    assertThat(show("ActiveState")).containsEntry("ActiveState", "active");

    main.destroyForcibly().waitFor();
    Thread.sleep(500);
    assertThat(manager.find(path)).as("its counters can still be read").isPresent();

    keeper.destroyForcibly().waitFor();
    assertThat(soon(() -> manager.find(path).isEmpty())).isTrue();
    assertThat(soon(() -> !state().equals("active"))).isTrue();
  }

  @Test
  void deviceRulesOutliveAReloadOfSystemd() throws Exception {
    String path = container(Resources.NONE);
    Cgroup cgroup = manager.find(path).orElseThrow();
    List<DeviceRule> rules =
        List.of(
            new DeviceRule(false, 'a', DeviceRule.ANY, DeviceRule.ANY, "rwm"),
            new DeviceRule(true, 'c', 1, 3, "rwm"));
    cgroup.devices(rules);
    assertThat(opens(cgroup, "/dev/null")).isTrue();
    assertThat(opens(cgroup, "/dev/zero")).isFalse();

    run("systemctl", "daemon-reload");
    run("systemctl", "daemon-reexec");

    assertThat(opens(cgroup, "/dev/null")).isTrue();
    assertThat(opens(cgroup, "/dev/zero")).isFalse();
    assertThat(cgroup.restoreDevices(rules)).as("nothing had to be put back").isFalse();
  }

  @Test
  void limitsChangeInTheUnitAndInTheCgroup() throws Exception {
    String path = container(limits(64 << 20));
    driver.update(manager.find(path).orElseThrow(), limits(96 << 20));
    assertThat(read(path, "memory.max")).isEqualTo(String.valueOf(96 << 20));
    assertThat(show("MemoryMax")).containsEntry("MemoryMax", String.valueOf(96 << 20));
    run("systemctl", "daemon-reload");
    assertThat(read(path, "memory.max")).isEqualTo(String.valueOf(96 << 20));
  }

  @Test
  void removalLeavesNoUnitAndANameCanBeUsedAgain() throws Exception {
    String path = container(Resources.NONE);
    driver.remove(manager.find(path).orElseThrow());
    assertThat(manager.find(path)).isEmpty();
    assertThat(show("LoadState")).containsEntry("LoadState", "not-found");
    assertThat(container(Resources.NONE)).isEqualTo(path);
  }

  @Test
  void aPodOfJrtsOwnHasASliceThatGoesWithIt() throws Exception {
    String id = "a".repeat(64);
    String path = driver.podPath("", id);
    assertThat(path).isEqualTo("/jrt.slice/jrt-drivertest.slice/jrt-drivertest-" + id + ".slice");
    driver.create(path, limits(64 << 20));
    assertThat(read(path, "memory.max")).isEqualTo(String.valueOf(64 << 20));
    assertThat(manager.children(driver.ownParent()))
        .singleElement()
        .satisfies(child -> assertThat(driver.podIdOf(child)).isEqualTo(Optional.of(id)));
    driver.remove(manager.find(path).orElseThrow());
    assertThat(soon(() -> manager.find(path).isEmpty())).isTrue();
    driver.removeOwnParent();
    assertThat(soon(() -> manager.find(driver.ownParent()).isEmpty())).isTrue();
  }

  private String container(Resources resources) {
    String pod = driver.podPath(POD, "p");
    if (manager.find(pod).isEmpty()) {
      driver.create(pod, Resources.NONE);
    }
    String path = driver.path(pod, ID);
    driver.create(path, resources);
    return path;
  }

  private static Resources limits(long memory) {
    return new Resources(
        new Resources.Cpu(1024, 50_000, 100_000, 0, "", "", false),
        new Resources.Memory(memory, 0, 0),
        0,
        List.of(),
        Resources.BlockIo.NONE,
        Map.of());
  }

  private Process sleep() throws IOException {
    Process process = new ProcessBuilder("sleep", "1000").start();
    started.add(process);
    return process;
  }

  /** Whether a process in the cgroup can open a device. */
  private static boolean opens(Cgroup cgroup, String device) throws Exception {
    Process probe =
        new ProcessBuilder("sh", "-c", "read go; exec 3<\"$0\"", device)
            .redirectErrorStream(true)
            .start();
    cgroup.admit((int) probe.pid());
    probe.getOutputStream().write('\n');
    probe.getOutputStream().close();
    return probe.waitFor() == 0;
  }

  private static String read(String path, String file) throws IOException {
    return Files.readString(Path.of("/sys/fs/cgroup" + path, file)).strip();
  }

  private static String state() {
    try {
      return show("ActiveState").getOrDefault("ActiveState", "");
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Map<String, String> show(String... properties)
      throws IOException, InterruptedException {
    Map<String, String> found = new TreeMap<>();
    run("systemctl", "show", "-p", String.join(",", properties), UNIT)
        .lines()
        .map(line -> line.split("=", 2))
        .forEach(pair -> found.put(pair[0], pair[1]));
    return found;
  }

  private static String run(String... command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(out).isZero();
    return out;
  }

  private static boolean soon(BooleanSupplier condition) throws InterruptedException {
    for (int i = 0; i < 200 && !condition.getAsBoolean(); i++) {
      Thread.sleep(50);
    }
    return condition.getAsBoolean();
  }
}
