package io.jrt.core.life;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrt.core.ContainerConfig;
import io.jrt.core.Deadline;
import io.jrt.core.MountConfig;
import io.jrt.core.MountPropagation;
import io.jrt.core.OperationInfo;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Fd;
import io.jrt.linux.OpenFlags;
import io.jrt.volumes.NamedVolumes;
import io.jrt.volumes.VolumeSpec;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Volumes from the creation of a container to its removal. */
class VolumeLifeIT {
  private static Deadline later() {
    return Deadline.after(RuntimeLab.SOON.multipliedBy(3));
  }

  private RuntimeLab lab;

  @BeforeEach
  void open() throws Exception {
    lab = new RuntimeLab();
  }

  @AfterEach
  void close() throws Exception {
    lab.close();
  }

  private ContainerConfig with(String name, String script, MountConfig... mounts) {
    return lab.container(name, script).withMounts(List.of(mounts));
  }

  @Test
  void volumeIsInUseFromTheCreationOfAContainerOn() throws Exception {
    NamedVolumes volumes = lab.volumes().named();
    volumes.create(VolumeSpec.local("v"));
    String pod = lab.runPod();
    String container =
        lab.runtime()
            .createContainer(
                pod,
                with("c", "echo kept > /data/file", MountConfig.bind("v", "/data", false)),
                later());

    assertThatThrownBy(() -> volumes.remove("v"))
        .isInstanceOfSatisfying(
            JrtException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.FAILED_PRECONDITION))
        .hasMessageContaining(container);
    lab.restart();
    assertThat(lab.volumes().named().find("v").orElseThrow().users()).containsExactly(container);
    lab.runtime().startContainer(container, later());
    assertThat(lab.awaitExit(container).cause().code()).isZero();
    assertThatThrownBy(() -> lab.volumes().named().remove("v")).hasMessageContaining("in use");
    assertThat(lab.volumes().named().path("v").orElseThrow().resolve("file")).hasContent("kept");

    lab.runtime().removeContainer(container, later());
    lab.volumes().named().remove("v");
    assertThat(lab.volumes().named().list()).isEmpty();
  }

  @Test
  void creationThatFailsLeavesItsVolumesUnused() {
    lab.volumes().named().create(VolumeSpec.local("v"));
    String pod = lab.runPod();
    lab.failPoints.arm("create-container.commit", io.jrt.linux.FailPoints.Action.FAIL);
    assertThatThrownBy(
            () -> lab.start(pod, with("c", "true", MountConfig.bind("v", "/data", false))))
        .isInstanceOf(JrtException.class);
    lab.failPoints.disarm("create-container.commit");
    assertThat(lab.volumes().named().find("v").orElseThrow().users()).isEmpty();
  }

  @Test
  void hangingFileSystemHoldsUpNoOtherPodAndIsNamedAmongTheOperations() throws Exception {
    Path dead = Files.createDirectory(lab.directory.resolve("dead"));
    Fd server = lab.kernel.files().open(Path.of("/dev/fuse"), OpenFlags.O_RDWR);
    try {
      lab.kernel
          .mounts()
          .mount(
              "dead",
              dead.toString(),
              "fuse",
              0,
              "fd=%d,rootmode=40000,user_id=0,group_id=0".formatted(server.value()));
      String hangs = lab.runPod();
      String healthy = lab.runPod();
      ContainerConfig config =
          with("hangs", "true", MountConfig.bind(dead + "/volume", "/data", false));
      String stuck = lab.runtime().createContainer(hangs, config, later());
      List<Throwable> failure = new ArrayList<>();
      Thread starting =
          Thread.ofVirtual()
              .start(
                  () -> {
                    try {
                      lab.runtime().startContainer(stuck, later());
                    } catch (JrtException e) {
                      failure.add(e);
                    }
                  });
      long began = System.nanoTime();
      while (named(dead).isEmpty()) {
        assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(RuntimeLab.SOON);
        Thread.sleep(50);
      }
      assertThat(named(dead).orElseThrow().key()).isEqualTo("container/" + stuck);

      long before = System.nanoTime();
      String fine = lab.start(healthy, lab.container("fine", "echo lives"));
      assertThat(lab.awaitExit(fine).cause().code()).isZero();
      assertThat(lab.runtime().containers(io.jrt.core.ContainerFilter.ALL)).hasSize(2);
      lab.runtime().containerStats(io.jrt.core.ContainerFilter.ALL);
      lab.runtime().removePod(healthy, later());
      assertThat(Duration.ofNanos(System.nanoTime() - before)).isLessThan(Duration.ofSeconds(5));

      server.close();
      starting.join(RuntimeLab.SOON);
      assertThat(failure).singleElement().asString().contains("dead/volume");
      assertThat(named(dead)).isEmpty();
    } finally {
      server.close();
      lab.kernel.mounts().detach(dead);
    }
  }

  private Optional<OperationInfo> named(Path path) {
    return lab.runtime().operations().stream()
        .filter(operation -> operation.step().contains("mount of " + path))
        .findFirst();
  }

  @Test
  void destinationsThatOverlapAreMountedFromTheTopDownAndEqualOnesAsGiven() throws Exception {
    Path outer = Files.createDirectory(lab.directory.resolve("outer"));
    Path inner = Files.createDirectory(lab.directory.resolve("inner"));
    Path last = Files.createDirectory(lab.directory.resolve("last"));
    Files.writeString(outer.resolve("file"), "outer\n");
    Files.writeString(inner.resolve("file"), "inner\n");
    Files.writeString(last.resolve("file"), "last\n");
    String container =
        lab.start(
            lab.runPod(),
            with(
                "c",
                "cat /a/file /a/b/file /a/c/file",
                MountConfig.bind(inner.toString(), "/a/b", false),
                MountConfig.bind(inner.toString(), "/a/c", false),
                MountConfig.bind(last.toString(), "/a/c/", false),
                MountConfig.bind(outer.toString(), "/a", false)));
    assertThat(lab.awaitExit(container).cause().code()).isZero();
    assertThat(lab.log("c")).containsExactly("outer", "inner", "last");
    assertThat(inner.resolve("b")).doesNotExist();
  }

  @Test
  void hundredsOfMountsComeAndGo() throws Exception {
    Path source = Files.createDirectory(lab.directory.resolve("many"));
    List<MountConfig> mounts = new ArrayList<>();
    for (int i = 0; i < 400; i++) {
      Files.writeString(source.resolve("f" + i), "x");
      mounts.add(MountConfig.bind(source.resolve("f" + i).toString(), "/many/f" + i, true));
    }
    String pod = lab.runPod();
    long before = mountsOfTheLab();
    String container = lab.start(pod, lab.container("c", "cat /many/* | wc -c").withMounts(mounts));
    assertThat(lab.awaitExit(container).cause().code()).isZero();
    assertThat(lab.log("c")).containsExactly("400");
    assertThat(mountsOfTheLab()).isEqualTo(before);
  }

  private long mountsOfTheLab() {
    return lab.kernel.mounts().mountInfo().stream()
        .filter(mount -> mount.target().startsWith(lab.directory + "/"))
        .count();
  }

  @Test
  void recursiveReadOnlyThatCannotBeIsRefusedInKubernetesWords() {
    String pod = lab.runPod();
    MountConfig wrong =
        new MountConfig(
            "/data",
            "/tmp",
            false,
            true,
            false,
            MountPropagation.PRIVATE,
            List.of(),
            List.of(),
            Optional.empty(),
            "",
            List.of());
    assertThatThrownBy(() -> lab.start(pod, with("c", "true", wrong)))
        .isInstanceOf(JrtException.class)
        .hasMessageStartingWith("RROUnsupported: ");
  }
}
