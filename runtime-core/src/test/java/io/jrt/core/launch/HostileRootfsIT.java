package io.jrt.core.launch;

import static io.jrt.core.launch.LaunchFixture.process;
import static io.jrt.core.launch.LaunchFixture.shell;
import static io.jrt.core.launch.LaunchFixture.with;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrt.core.launch.LaunchFixture.Request;
import io.jrt.core.launch.LaunchFixture.Result;
import io.jrt.errors.JrtException;
import io.jrt.linux.Fd;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Images and specs that try to reach the host; the classes are named by their known cases. */
class HostileRootfsIT {
  private LaunchFixture fixture;
  private Path rootfs;
  private Path sentinel;
  private long mounts;

  @BeforeEach
  void open() throws Exception {
    fixture = new LaunchFixture();
    rootfs = fixture.rootfs("rootfs");
    sentinel = Files.createDirectories(fixture.directory.resolve("host"));
    mounts = mountCount();
  }

  @AfterEach
  void close() throws Exception {
    assertThat(sentinel).isEmptyDirectory();
    assertThat(mountCount()).isEqualTo(mounts);
    fixture.close();
  }

  private static long mountCount() throws Exception {
    try (Stream<String> lines = Files.lines(Path.of("/proc/self/mountinfo"))) {
      return lines.filter(line -> line.contains("/jrt-launch")).count();
    }
  }

  @Test
  void devLinkToTheHost() throws Exception { // CVE-2026-41579, CVE-2026-47766
    for (String target : List.of(sentinel.toString(), "../../../../../../../.." + sentinel, "/")) {
      Path link = rootfs.resolve("dev");
      Files.deleteIfExists(link);
      Files.createSymbolicLink(link, Path.of(target));
      try {
        fixture.run(rootfs, "true");
      } catch (JrtException refused) {
        assertThat(refused).hasMessageContaining("/dev");
      }
      assertThat(sentinel).isEmptyDirectory();
    }
  }

  @Test
  void procLinkIsRefused() throws Exception { // CVE-2019-19921
    Files.createSymbolicLink(rootfs.resolve("proc"), Path.of("/tmp"));
    assertThatThrownBy(() -> fixture.run(rootfs, "true"))
        .isInstanceOf(JrtException.class)
        .hasMessageContaining("mount proc on /proc")
        .hasMessageContaining("symbolic links");
  }

  @Test
  void mountTargetsThroughLinksStayInside() throws Exception { // CVE-2024-45310, CVE-2022-23648
    Files.createSymbolicLink(rootfs.resolve("data"), sentinel);
    Files.createSymbolicLink(rootfs.resolve("up"), Path.of("../../../../../../../.." + sentinel));
    for (String target : List.of("/data/a/b", "/up/c/d")) {
      Request request = new Request(rootfs, shell("true"));
      request.mounts = List.of(new MountStep.Make("tmpfs", "", CString.of(target), List.of(), 0));
      try {
        fixture.run(request);
      } catch (JrtException refused) {
        assertThat(refused).hasMessageContaining(target);
      }
      assertThat(sentinel).isEmptyDirectory();
    }
  }

  @Test
  void nothingIsMountedOverTheRootByWayOfALink() throws Exception {
    Path volume = Files.createDirectories(fixture.directory.resolve("volume"));
    Files.createSymbolicLink(rootfs.resolve("data"), Path.of("/"));
    Files.createSymbolicLink(rootfs.resolve("up"), Path.of("../../.."));
    Files.createSymbolicLink(rootfs.resolve("far"), Path.of("/bin/../up"));
    for (String target : List.of("/data", "/up", "/far", "/data/far")) {
      try (Fd tree = fixture.kernel.mounts().bindClone(volume, false)) {
        for (MountStep step :
            List.of(
                new MountStep.Attach(tree, CString.of(target), true),
                new MountStep.Make("tmpfs", "", CString.of(target), List.of(), 0))) {
          Request request = new Request(rootfs, shell("true"));
          request.mounts = List.of(step);
          assertThatThrownBy(() -> fixture.run(request))
              .as("%s", step)
              .isInstanceOf(JrtException.class)
              .hasMessageStartingWith("cannot mount ")
              .hasMessageContaining(" on " + target + ", which is the container's root by a link");
        }
      }
    }
    // A link to the root on the way to a target is no harm.
    Request request = new Request(rootfs, shell("ls -d /bin/sh /inside"));
    request.mounts =
        List.of(new MountStep.Make("tmpfs", "", CString.of("/data/inside"), List.of(), 0));
    assertThat(fixture.run(request).out()).isEqualTo("/bin/sh\n/inside\n");
  }

  @Test
  void randomTreesOfLinksNeverLeadAMountOut() throws Exception {
    Random random = new Random(11);
    Path marked = Files.createDirectories(fixture.directory.resolve("marked"));
    Path marker = Files.writeString(marked.resolve("marker"), "here");
    List<String> links =
        List.of(
            "..",
            "../..",
            "/",
            "/jrt-b",
            "jrt-c",
            "/etc",
            "jrt-b/../../../..",
            sentinel.toString(),
            "../../../../../../../.." + sentinel,
            "/proc/self/root",
            "/proc/1/root",
            "/proc/self/cwd",
            "/proc/self/fd/3");
    int started = 0;
    int visible = 0;
    for (int round = 0; round < 120; round++) {
      List<MountStep> steps = new ArrayList<>();
      String target = "";
      boolean directory = false;
      try (Fd tree = fixture.kernel.mounts().bindClone(marked, false);
          Fd file = fixture.kernel.mounts().bindClone(marker, false);
          Fd last = fixture.kernel.mounts().bindClone(round % 2 == 0 ? marked : marker, false)) {
        for (int mount = 0; mount < 3; mount++) {
          target = randomPath(random, links);
          directory = mount == 2 ? round % 2 == 0 : mount == 0;
          Fd source = mount == 0 ? tree : mount == 1 ? file : last;
          steps.add(new MountStep.Attach(source, CString.of(target), directory));
        }
        Request request =
            new Request(rootfs, shell("cat " + target + (directory ? "/marker" : "")));
        request.mounts = steps;
        String seen = fixture.run(request).out();
        // By links a target may be a place that the container does not see: never one of the host.
        assertThat(seen.equals("here") || hasLinks()).as("round %d, %s", round, target).isTrue();
        visible += seen.equals("here") ? 1 : 0;
        started++;
      } catch (JrtException refused) {
        assertThat(refused).hasMessageContaining("/jrt-");
      }
      assertThat(marked).isDirectoryContaining(path -> path.endsWith("marker"));
      assertThat(marker).hasContent("here");
      assertThat(sentinel).as("round %d", round).isEmptyDirectory();
      for (char letter = 'a'; letter <= 'f'; letter++) {
        assertThat(Path.of("/jrt-" + letter)).doesNotExist();
        assertThat(fixture.directory.resolve("jrt-" + letter)).doesNotExist();
      }
      fixture.run(rootfs, "rm -rf /jrt-* /etc/jrt-*");
    }
    assertThat(started).isGreaterThan(20);
    assertThat(visible).isGreaterThan(15);
  }

  private boolean hasLinks() throws Exception {
    try (Stream<Path> all = Files.walk(rootfs, 5)) {
      return all.anyMatch(
          path -> Files.isSymbolicLink(path) && path.getFileName().toString().startsWith("jrt-"));
    }
  }

  /** A target, and what an image may have on the way to it. */
  private String randomPath(Random random, List<String> links) throws Exception {
    Path at = rootfs;
    StringBuilder target = new StringBuilder();
    for (int depth = 0; depth <= random.nextInt(4); depth++) {
      Path entry = at.resolve("jrt-" + (char) ('a' + random.nextInt(6)));
      if (!Files.exists(entry, LinkOption.NOFOLLOW_LINKS) && random.nextInt(3) > 0) {
        if (random.nextInt(3) > 0) {
          Files.createDirectory(entry);
        } else {
          Files.createSymbolicLink(entry, Path.of(links.get(random.nextInt(links.size()))));
        }
      }
      target.append('/').append(entry.getFileName());
      at = Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS) ? entry : at;
    }
    return target.toString();
  }

  @Test
  void nullDeviceOfTheImageIsNotTrusted() throws Exception { // CVE-2025-31133
    String before = fixture.sysctl("kernel/core_pattern");
    Files.createDirectories(rootfs.resolve("dev"));
    Files.createSymbolicLink(rootfs.resolve("dev/null"), Path.of("/proc/sys/kernel/core_pattern"));
    Files.writeString(rootfs.resolve("etc/secret"), "s");
    try (var root = fixture.kernel.mounts().bindClone(rootfs, false)) {
      LaunchSpec spec =
          new LaunchSpec(
              shell("cat /etc/secret; echo x > /etc/secret; stat -c '%t:%T' /etc/secret; cat"),
              NamespacePlan.ISOLATED,
              root,
              false,
              false,
              List.of(new MountStep.Make("proc", "proc", CString.of("/proc"), List.of(), 0)),
              List.of(),
              CString.listOf("/etc/secret"),
              List.of(),
              Map.of(),
              "",
              "",
              CgroupPlacement.NONE,
              false);
      LiveContainer container =
          fixture.launcher.start(spec, new LaunchIo.Pipes(false), fixture.keeperDir());
      fixture.started.add(container);
      Result result = fixture.finish(container);
      assertThat(result.out()).isEqualTo("1:3\n");
    }
    assertThat(fixture.sysctl("kernel/core_pattern")).isEqualTo(before);
  }

  @Test
  void workingDirectoryThroughADescriptor() throws Exception { // CVE-2024-21626
    for (int n = 0; n <= 64; n++) {
      for (String cwd : List.of("/proc/self/fd/" + n, "/proc/self/fd/" + n + "/../..")) {
        Request request = new Request(rootfs, shell("true"));
        request.process = with(request.process, null, null, null, null, cwd);
        assertThatThrownBy(() -> fixture.run(request))
            .as(cwd)
            .isInstanceOf(JrtException.class)
            .hasMessageContaining("working directory");
      }
    }
  }

  @Test
  void programIsTheHelperItself() throws Exception { // CVE-2019-5736
    LiveContainer container =
        fixture.start(new Request(rootfs, process("/proc/self/exe", "podinit")));
    Path exe = Path.of("/proc/" + container.pid() + "/exe");
    assertThat(Files.readSymbolicLink(exe).toString()).contains("memfd:jrt-init");
    assertThatThrownBy(() -> Files.newByteChannel(exe, StandardOpenOption.WRITE).close())
        .isInstanceOf(IOException.class);
    container.kill(9);
    fixture.finish(container);
  }

  @Test
  void labelsAndSysctlsDoNotGoThroughTheContainersProc() throws Exception { // CVE-2025-52881
    Request request = new Request(rootfs, shell("cat /proc/sys/net/ipv4/ip_forward"));
    request.mounts =
        List.of(new MountStep.Make("tmpfs", "", CString.of("/proc/sys/net"), List.of(), 0));
    request.sysctls = Map.of("net.ipv4.ip_forward", "1");
    // The tmpfs hides it inside; the write reached the kernel's file, not the tmpfs.
    Result result = fixture.run(request);
    assertThat(result.err()).contains("No such file");
  }

  @Test
  void consoleLinkOfTheImage() throws Exception { // CVE-2025-52565
    Files.createDirectories(rootfs.resolve("dev"));
    Files.createSymbolicLink(rootfs.resolve("dev/console"), Path.of("/proc/sysrq-trigger"));
    Request request = new Request(rootfs, shell("stat -c '%t' /dev/console; exit 3"));
    request.io = new LaunchIo.Terminal(24, 80);
    LiveContainer container = fixture.start(request);
    assertThat(container.awaitExit(LaunchFixture.LIMIT).orElseThrow().status()).isEqualTo(3);
    assertThat(fixture.readUntil(container.terminal().orElseThrow(), "88")).contains("88");
  }

  @Test
  void consoleAndDevicesThatSomebodySwapsMeanwhile() throws Exception { // CVE-2025-52565
    String before = fixture.sysctl("kernel/core_pattern");
    Path dev = Files.createDirectories(rootfs.resolve("dev"));
    Path console = dev.resolve("console");
    Path link = dev.resolve("link");
    AtomicBoolean over = new AtomicBoolean();
    AtomicLong swaps = new AtomicLong();
    // A process of another container that has this one's root file system as a volume.
    Thread hostile =
        Thread.ofPlatform()
            .start(
                () -> {
                  try {
                    while (!over.get()) {
                      Files.deleteIfExists(link);
                      Files.createSymbolicLink(link, Path.of("/proc/sys/kernel/core_pattern"));
                      Files.move(link, console, StandardCopyOption.REPLACE_EXISTING);
                      Files.deleteIfExists(console);
                      Files.writeString(console, "");
                      Files.move(dev, rootfs.resolve("dev-away"));
                      Files.createSymbolicLink(dev, sentinel);
                      Files.delete(dev);
                      Files.move(rootfs.resolve("dev-away"), dev);
                      swaps.incrementAndGet();
                    }
                  } catch (IOException e) {
                    throw new UncheckedIOException(e);
                  }
                });
    int started = 0;
    try {
      for (int i = 0; i < 60; i++) {
        Request request =
            new Request(
                rootfs, shell("stat -c %t /dev/console; echo x >/dev/console; echo done; exit 3"));
        request.io = new LaunchIo.Terminal(24, 80);
        try {
          LiveContainer container = fixture.start(request);
          assertThat(container.awaitExit(LaunchFixture.LIMIT).orElseThrow().status()).isEqualTo(3);
          // Who deletes the file below takes the mount away, from that container alone.
          String said = fixture.readUntil(container.terminal().orElseThrow(), "done");
          started += said.contains("88") ? 1 : 0;
        } catch (JrtException refused) {
          assertThat(refused).hasMessageContaining("/dev");
        }
      }
    } finally {
      over.set(true);
      hostile.join();
    }
    assertThat(swaps.get()).isPositive();
    assertThat(started).as("some find a quiet moment").isPositive();
    assertThat(fixture.sysctl("kernel/core_pattern")).isEqualTo(before);
    assertThat(sentinel).isEmptyDirectory();
  }

  @AfterAll
  static void everyKeeperIsLetGo() {
    assertThat(ProcessHandle.current().children()).isEmpty();
  }
}
