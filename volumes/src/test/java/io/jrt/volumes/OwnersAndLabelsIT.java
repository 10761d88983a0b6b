package io.jrt.volumes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Errno;
import io.jrt.linux.Fd;
import io.jrt.linux.KernelException;
import io.jrt.linux.OpenFlags;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Ids and SELinux labels that a container is to see. */
class OwnersAndLabelsIT extends MountLab {
  @Test
  void idMappedMountShowsTheContainersIds() throws Exception {
    Path source = node.directory("source");
    Files.writeString(source.resolve("file"), "x");
    Files.setAttribute(source.resolve("file"), "unix:uid", 5);
    assumeTrue(
        !Files.getFileStore(source).type().equals("tmpfs") || kernelIsAtLeast(6, 3),
        "tmpfs has no idmapped mounts before Linux 6.3");
    Fd userNamespace = node.userNamespace();
    MountRequest request =
        new MountRequest(
            new MountSource.HostPath(source),
            "/data",
            false,
            false,
            Propagation.PRIVATE,
            false,
            true,
            List.of());

    List<PreparedMount> mounts =
        volumes.prepare(List.of(request), new MountContext("c", Optional.of(userNamespace), ""));
    try (PreparedMount mount = mounts.getFirst()) {
      Path target = node.attach(mount, "target");
      assertThat(Files.getAttribute(target.resolve("file"), "unix:uid")).isEqualTo(100005);
    }
    assertThat(volumes.canIdMap(source, userNamespace)).isTrue();
  }

  private static boolean kernelIsAtLeast(int major, int minor) {
    String[] version = System.getProperty("os.version").split("[.-]");
    int first = Integer.parseInt(version[0]);
    return first > major || (first == major && Integer.parseInt(version[1]) >= minor);
  }

  @Test
  void fileSystemWithoutIdMapsIsNamed() throws Exception {
    Fd userNamespace = node.userNamespace();
    MountRequest request =
        new MountRequest(
            new MountSource.HostPath(Path.of("/proc/sys")),
            "/data",
            false,
            false,
            Propagation.PRIVATE,
            false,
            true,
            List.of());

    assertThatThrownBy(
            () ->
                volumes.prepare(
                    List.of(request), new MountContext("c", Optional.of(userNamespace), "")))
        .hasMessageStartingWith("/proc/sys is on a file system that cannot show other user ids");
    assertThat(volumes.canIdMap(Path.of("/proc/sys"), userNamespace)).isFalse();
  }

  private static final String LABEL = "system_u:object_r:container_file_t:s0:c1,c2";

  private void relabel(Path source) {
    MountRequest request =
        new MountRequest(
            new MountSource.HostPath(source),
            "/data",
            false,
            false,
            Propagation.PRIVATE,
            true,
            false,
            List.of());
    volumes
        .prepare(List.of(request), new MountContext("c", Optional.empty(), LABEL))
        .forEach(PreparedMount::close);
  }

  /** Empty also where the file system has no labels, as that of a guest has none. */
  private String label(Path path) {
    try (Fd fd = node.kernel.files().open(path, OpenFlags.O_RDONLY | OpenFlags.O_NOFOLLOW)) {
      return node.kernel
          .files()
          .fgetxattr(fd, "security.selinux")
          .map(v -> new String(v, StandardCharsets.UTF_8))
          .orElse("");
    } catch (KernelException e) {
      if (e.is(Errno.EOPNOTSUPP)) {
        return "";
      }
      throw e;
    }
  }

  @Test
  void contentIsRelabelledAndLinksAreNotFollowed() throws IOException {
    Path inside = node.file("source/d/file", "x");
    Path outside = node.file("outside", "x");
    Path elsewhere = node.file("elsewhere/file", "x");
    Path elsewhereDirectory = node.root.resolve("elsewhere");
    Files.createSymbolicLink(node.root.resolve("source/link"), outside);
    Files.createSymbolicLink(node.root.resolve("source/dir"), elsewhereDirectory);

    relabel(node.root.resolve("source"));

    assertThat(label(node.root.resolve("source"))).isEqualTo(LABEL + "\0");
    assertThat(label(inside)).isEqualTo(LABEL + "\0");
    assertThat(label(outside)).isEmpty();
    assertThat(label(elsewhere)).isEmpty();
    relabel(inside);
  }

  @Test
  void cve202143816_systemFilesAreNotRelabelled() throws IOException {
    Path link = Files.createSymbolicLink(node.root.resolve("hosts"), Path.of("/etc/hosts"));
    String before = label(Path.of("/etc/hosts"));

    for (Path path :
        List.of(
            Path.of("/etc"),
            Path.of("/etc/hosts"),
            link,
            Path.of("/usr/share/../lib"),
            Path.of("/"))) {
      assertThatThrownBy(() -> relabel(path))
          .isInstanceOfSatisfying(
              JrtException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.DENIED));
    }
    assertThat(label(Path.of("/etc/hosts"))).isEqualTo(before);
  }
}
