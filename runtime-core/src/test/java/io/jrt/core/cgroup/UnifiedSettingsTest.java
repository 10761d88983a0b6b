package io.jrt.core.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrt.core.HugepageLimit;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Kernel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** On plain files that stand for those of a v2 cgroup. */
class UnifiedSettingsTest {
  @TempDir Path temp;
  private Cgroup cgroup = absent();

  private static Cgroup absent() {
    return new UnifiedCgroup(
        Kernel.open(),
        "/none",
        new CgroupDir(Kernel.open().files(), Path.of("/none")),
        List.of(),
        new DeviceFilter(Kernel.open().bpf()));
  }

  @BeforeEach
  void fakeTree() throws IOException {
    Path dir = Files.createDirectories(temp.resolve("pod"));
    file(temp, "cgroup.controllers", "cpu memory pids");
    file(temp, "cgroup.subtree_control", "");
    for (String name :
        List.of(
            "cpu.weight",
            "cpu.max",
            "cpu.idle",
            "cpu.max.burst",
            "cpuset.cpus",
            "memory.max",
            "memory.swap.max",
            "memory.low",
            "memory.high",
            "pids.max",
            "io.weight",
            "io.max")) {
      file(dir, name, "");
    }
    file(dir, "cpu.max", "max 100000");
    file(dir, "memory.current", "5000000");
    file(dir, "memory.stat", "anon 1000000\nactive_file 1500000\ninactive_file 2000000");
    file(dir, "cgroup.events", "populated 0\nfrozen 0");
    file(dir, "memory.events", "low 0\nhigh 0\nmax 9\noom 3\noom_kill 2");
    file(dir, "memory.events.local", "low 0\nhigh 0\nmax 9\noom 3\noom_kill 1");
    file(dir, "memory.swap.current", "77");
    file(dir, "cpu.stat", "usage_usec 1500\nuser_usec 1000\nsystem_usec 500\nnr_periods 4");
    file(dir, "io.stat", "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0");
    file(
        dir,
        "cpu.pressure",
        "some avg10=1.50 avg60=0.20 avg300=0.01 total=42\n"
            + "full avg10=0.00 avg60=0.00 avg300=0.00 total=7");
    cgroup = new UnifiedManager(Kernel.open(), temp).create("/pod", Resources.NONE);
  }

  private static void file(Path dir, String name, String content) throws IOException {
    Files.writeString(dir.resolve(name), content);
  }

  /** Plain files keep what a shorter write leaves behind, so only the beginning is compared. */
  private String content(String name) throws IOException {
    return Files.readString(temp.resolve("pod").resolve(name));
  }

  @Test
  void controllersAreHandedDown() throws IOException {
    assertThat(Files.readString(temp.resolve("cgroup.subtree_control")))
        .isEqualTo("+cpu +memory +pids");
  }

  @Test
  void limitsBecomeTheFilesOfV2() throws IOException {
    cgroup.update(
        Resources.NONE
            .withCpu(new Resources.Cpu(1024, 50_000, 0, 0, "0-1", "", false))
            .withMemory(new Resources.Memory(8_000_000, 10_000_000, 3_000_000))
            .withPids(-1)
            .withBlockIo(
                new Resources.BlockIo(1000, List.of(new Resources.Throttle(8, 0, 1000, 0, 0, -1))))
            .withHugepages(List.of(new HugepageLimit("2MB", 0)))
            .withUnified(Map.of("memory.high", "7000000")));
    assertThat(content("cpu.weight")).isEqualTo("100");
    assertThat(content("cpu.max")).isEqualTo("50000 100000");
    assertThat(content("cpuset.cpus")).isEqualTo("0-1");
    assertThat(content("memory.max")).isEqualTo("8000000");
    assertThat(content("memory.swap.max")).isEqualTo("2000000");
    assertThat(content("memory.low")).isEqualTo("3000000");
    assertThat(content("memory.high")).isEqualTo("7000000");
    assertThat(content("pids.max")).isEqualTo("max");
    assertThat(content("io.weight")).isEqualTo("default 10000");
    assertThat(content("io.max")).isEqualTo("8:0 rbps=1000 wiops=max");
  }

  @Test
  void aRefusedUpdateLeavesWhatWas() throws IOException {
    cgroup.update(Resources.NONE.withMemory(new Resources.Memory(8_000_000, 0, 0)));
    assertThatThrownBy(
            () ->
                cgroup.update(
                    Resources.NONE
                        .withMemory(new Resources.Memory(9_000_000, 0, 0))
                        .withUnified(Map.of("nosuch.max", "1"))))
        .isInstanceOfSatisfying(
            JrtException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.FAILED_PRECONDITION))
        .hasMessageContaining("no file nosuch.max for 1");
    assertThat(content("memory.max")).isEqualTo("8000000");
  }

  @Test
  void aLimitBelowWhatCannotBeDroppedIsRefused() throws IOException {
    assertThatThrownBy(
            () -> cgroup.update(Resources.NONE.withMemory(new Resources.Memory(1_000_000, 0, 0))))
        .hasMessageContaining("memory limit 1000000")
        .hasMessageContaining("below the 1500000 bytes in use");
    assertThat(content("memory.max")).isEmpty();
    assertThatThrownBy(
            () -> cgroup.update(Resources.NONE.withMemory(new Resources.Memory(9_000_000, 1, 0))))
        .hasMessage("memory and swap limit 1 is below the memory limit 9000000");
  }

  @Test
  void unifiedNamesStayInTheDirectory() {
    for (String name : List.of("../memory.max", "a/b", "cgroup.procs", "")) {
      assertThatThrownBy(() -> cgroup.update(Resources.NONE.withUnified(Map.of(name, "1"))))
          .isInstanceOf(JrtException.class);
    }
  }

  @Test
  void statisticsAreTheKernelsNumbers() {
    CgroupStats stats = cgroup.stats();
    assertThat(stats.cpu().orElseThrow().usageNanos()).isEqualTo(1_500_000);
    assertThat(stats.cpu().orElseThrow().pressure().orElseThrow().some().totalMicros())
        .isEqualTo(42);
    assertThat(stats.memory().orElseThrow().workingSet()).isEqualTo(3_000_000);
    assertThat(stats.memory().orElseThrow().rss()).isEqualTo(1_000_000);
    assertThat(stats.memory().orElseThrow().swapUsage()).isEqualTo(77);
    assertThat(stats.io()).containsExactly(new CgroupStats.BlockDevice(8, 0, 1, 2, 3, 4));
    assertThat(cgroup.oomCounters()).isEqualTo(new OomCounters(3, 2, 1));
  }

  @Test
  void pathsAreChecked() {
    UnifiedManager manager = new UnifiedManager(Kernel.open(), temp);
    for (String path : List.of("relative", "/a/../b", "/./a", "/" + "x".repeat(256))) {
      assertThatThrownBy(() -> manager.find(path)).isInstanceOf(JrtException.class);
    }
    assertThat(new CgroupfsDriver(manager, "/jrt").podPath("", "c1")).isEqualTo("/jrt/c1");
    assertThat(new CgroupfsDriver(manager, "/jrt").path("/kubepods//besteffort/", "c1"))
        .isEqualTo("/kubepods/besteffort/c1");
    assertThatThrownBy(() -> new CgroupfsDriver(manager, "/jrt").path("kubepods.slice", "c1"))
        .hasMessageContaining("systemd slice");
  }
}
