package io.jrt.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.grpc.StatusRuntimeException;
import io.jrt.cri.v1.ContainerConfig;
import io.jrt.cri.v1.ExecSyncResponse;
import io.jrt.cri.v1.ListContainersRequest;
import io.jrt.cri.v1.NamespaceMode;
import io.jrt.cri.v1.PodSandboxConfig;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Disks that are full, out of inodes or read-only.
 *
 * <p>In {@code make test} a selection of the troubles by a seed that is printed ({@code
 * -Djrt.seed=}); {@code make fault} ({@code -Djrt.fault=full}) has all of them.
 */
@Timeout(900)
class DiskFaultsIT extends Faults {
  /** What is wrong with a disk. */
  private enum Trouble {
    NO_SPACE,
    NO_INODES
  }

  private record Case(String place, Trouble trouble) {}

  @Test
  void aDiskInTroubleTakesNothingThatRuns() throws Exception {
    System.out.println("seed " + seed);
    List<Case> cases = new ArrayList<>();
    for (String place : List.of("root", "state", "logs")) {
      for (Trouble trouble : Trouble.values()) {
        cases.add(new Case(place, trouble));
      }
    }
    Collections.shuffle(cases, new Random(seed));
    for (Case each : FULL ? cases : cases.subList(0, 1)) {
      System.out.println(each);
      Path home = Daemon.newHome();
      Path disk = Files.createDirectories(home.resolve(each.place()));
      command(
          "mount", "-t", "tmpfs", "-o", "size=160m,nr_inodes=6000,mode=700", "jrt-it", "" + disk);
      Daemon daemon = start(home, Map.of());
      Counting before = counting(daemon, "before");
      Path filling = disk.resolve("filling");
      begin(each.trouble(), filling);
      inTrouble(daemon, before);
      command("rm", "-rf", filling.toString());
      afterTrouble(daemon, before);
      end();
    }
  }

  @Test
  void aCommandWhoseOutputFindsNoRoomIsToldSo() throws Exception {
    Path home = Daemon.newHome();
    Path disk = Files.createDirectories(home.resolve("root"));
    command("mount", "-t", "tmpfs", "-o", "size=160m,mode=700", "jrt-it", "" + disk);
    Daemon daemon = start(home, Map.of());
    Counting before = counting(daemon, "before");
    Path filling = disk.resolve("filling");
    begin(Trouble.NO_SPACE, filling);
    Cri cri = daemon.cri();
    assertThatThrownBy(() -> cri.exec(before.id(), "head", "-c", "1000000", "/dev/zero"))
        .isInstanceOf(StatusRuntimeException.class)
        .hasMessageContaining("the output of the command could not be kept in " + disk)
        .hasMessageContaining("ENOSPC (no space left on device)");
    assertThat(cri.exec(before.id(), "echo", "little").getStdout().toStringUtf8())
        .isEqualTo("little\n");
    runs(daemon, before);
    command("rm", filling.toString());
    ExecSyncResponse answer = cri.exec(before.id(), "head", "-c", "1000000", "/dev/zero");
    assertThat(answer.getStdout().size()).isEqualTo(1_000_000);
    Remains.awaitClosed(daemon.pid(), disk + "/#");
    ends(daemon, before);
    daemon.cri().removeEverything();
    isWhole(daemon);
    end();
  }

  private static void begin(Trouble trouble, Path filling) throws Exception {
    switch (trouble) {
      case NO_SPACE -> {
        Process fill =
            new ProcessBuilder("dd", "if=/dev/zero", "of=" + filling, "bs=64k")
                .redirectErrorStream(true)
                .start();
        String said = new String(fill.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(fill.waitFor()).isNotZero();
        assertThat(said).contains("No space");
      }
      case NO_INODES -> {
        Files.createDirectory(filling);
        boolean room = true;
        for (int i = 0; room; i++) {
          try {
            Files.createFile(filling.resolve("f" + i));
          } catch (IOException e) {
            assertThat(e).hasMessageContaining("No space");
            room = false;
          }
        }
      }
    }
  }

  private void inTrouble(Daemon daemon, Counting before) throws Exception {
    runs(daemon, before);
    assertThat(
            daemon
                .cri()
                .runtime()
                .listContainers(ListContainersRequest.getDefaultInstance())
                .getContainersCount())
        .isEqualTo(1);
    refused(() -> daemon.cri().exec(before.id(), "true"));
    Path logs = daemon.home().resolve("logs");
    PodSandboxConfig config = Cri.pod("meanwhile", NamespaceMode.POD, logs).build();
    List<String> made = new ArrayList<>();
    if (!refused(() -> made.add(daemon.cri().runPod(config)))) {
      refused(
          () ->
              daemon
                  .cri()
                  .run(
                      made.getFirst(),
                      config,
                      Cri.container("c", image(), "sleep", "1000").build()));
      // Who is evicted because a disk is full must go although it is.
      refused(() -> daemon.cri().removePod(made.getFirst()));
    }
    runs(daemon, before);
  }

  private void afterTrouble(Daemon daemon, Counting before) throws Exception {
    long grown = Files.size(before.log());
    runs(daemon, before);
    daemon.kill();
    daemon.restart();
    runs(daemon, before);
    long end = System.nanoTime() + SOON.toNanos();
    while (Files.size(before.log()) <= grown) {
      assertThat(System.nanoTime()).as("its log goes on").isLessThan(end);
      Daemon.sleep(20);
    }
    Counting after = counting(daemon, "after");
    ends(daemon, after);
    ends(daemon, before);
    daemon.cri().removeEverything();
    isWhole(daemon);
  }

  @Test
  void aPodCanBeRemovedFromAFullNode() throws Exception {
    Path home = Daemon.newHome();
    for (String place : List.of("root", "state")) {
      Path disk = Files.createDirectories(home.resolve(place));
      command("mount", "-t", "tmpfs", "-o", "size=160m,mode=700", "jrt-it", disk.toString());
    }
    Daemon daemon = start(home, Map.of());
    Counting one = counting(daemon, "evicted");
    begin(Trouble.NO_SPACE, home.resolve("root/filling"));
    PodSandboxConfig config = Cri.pod("p", NamespaceMode.NODE, home.resolve("logs")).build();
    assertThatThrownBy(() -> daemon.cri().runPod(config)).hasMessageContaining("No space left");
    // Nobody could make room on a node whose daemon needs room to start.
    daemon.kill();
    daemon.restart();
    runs(daemon, one);
    begin(Trouble.NO_SPACE, home.resolve("state/filling"));
    ends(daemon, one);
    Files.delete(home.resolve("root/filling"));
    Files.delete(home.resolve("state/filling"));
    isWhole(daemon);
  }

  @Test
  void aFileSystemThatTurnsReadOnlyLosesNoContainerAndNoEnd() throws Exception {
    Path home = Daemon.newHome();
    Path image = home.resolve("disk.img");
    Path disk = Files.createDirectories(home.resolve("root"));
    command("truncate", "-s", "400M", image.toString());
    command("mkfs.ext4", "-q", "-F", image.toString());
    assumeTrue(mounted(image, disk), "no loop devices here");
    Daemon daemon = start(home, Map.of());
    Counting stays = counting(daemon, "stays");
    Counting ended = counting(daemon, "ended");
    command("sync", "-f", disk.toString());
    // As it ends when the kernel finds an error in it; a mount that is written to can be made
    // read-only in no other way.
    Path device = Path.of(Files.getFileStore(disk).name()).getFileName();
    Files.writeString(Path.of("/sys/fs/ext4/" + device + "/trigger_fs_error"), "test");

    PodSandboxConfig config = Cri.pod("p", NamespaceMode.NODE, home.resolve("logs")).build();
    ContainerConfig more = Cri.container("more", image(), "true").build();
    for (Runnable call :
        List.<Runnable>of(
            () -> daemon.cri().runPod(config),
            () -> daemon.cri().create(stays.pod(), stays.config(), more))) {
      assertThatThrownBy(call::run)
          .hasMessageStartingWith("UNAVAILABLE: ")
          .hasMessageContaining(disk.toString())
          .hasMessageMatching("(?is).*read-only file system.*");
    }
    runs(daemon, stays);
    assertThat(daemon.cri().exec(stays.id(), "echo", "here").getStdout().toStringUtf8())
        .isEqualTo("here\n");
    daemon.cri().stop(ended.id(), 20);
    assertThat(daemon.cri().awaitExit(ended.id()).getExitCode()).isEqualTo(7);
    daemon.kill();
    // No daemon without a root that it can write to: it says which, and containers go on.
    Process refused = daemon.launchOnly();
    assertThat(refused.waitFor(30, TimeUnit.SECONDS)).isTrue();
    assertThat(refused.exitValue()).isEqualTo(1);
    assertThat(daemon.output()).contains(disk.toString()).contains("Read-only file system");

    // What an administrator does: the disk is checked and mounted anew.
    Path repaired = home.resolve("repaired.img");
    command("cp", "--sparse=always", image.toString(), repaired.toString());
    new ProcessBuilder("e2fsck", "-fy", repaired.toString()).start().waitFor();
    command("umount", "-l", disk.toString());
    assertThat(mounted(repaired, disk)).isTrue();
    daemon.restart();
    runs(daemon, stays);
    assertThat(daemon.cri().status(ended.id()).getExitCode()).isEqualTo(7);
    Counting after = counting(daemon, "after");
    ends(daemon, after);
    ends(daemon, stays);
    daemon.cri().removePod(ended.pod());
    isWhole(daemon);
  }

  private static boolean mounted(Path image, Path place) throws Exception {
    return new ProcessBuilder(
                "mount", "-o", "loop,errors=remount-ro", image.toString(), place.toString())
            .inheritIO()
            .start()
            .waitFor()
        == 0;
  }
}
