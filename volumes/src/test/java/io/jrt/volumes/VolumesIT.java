package io.jrt.volumes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Host paths, options and memory, one and many. */
class VolumesIT extends MountLab {
  @Test
  void directoriesAndFilesAreBound() throws IOException {
    Path file = node.file("source/a/file", "hello");

    try (PreparedMount directory = one(host(node.root.resolve("source/a")));
        PreparedMount single = one(host(file))) {
      assertThat(directory.directory()).isTrue();
      assertThat(single.directory()).isFalse();
      assertThat(node.attach(directory, "target/d").resolve("file")).hasContent("hello");
      assertThat(node.attach(single, "target/f")).hasContent("hello");
    }
  }

  @Test
  void detachedMountVanishesWhenItIsClosed() throws IOException {
    int before = node.kernel.mounts().mountInfo().size();
    long descriptors = Node.descriptors();

    one(host(node.directory("source"))).close();

    assertThat(node.kernel.mounts().mountInfo()).hasSize(before);
    assertThat(Node.descriptors()).isEqualTo(descriptors);
  }

  @Test
  void missingSourceFailsAsContainerdSaysIt() {
    Path missing = node.root.resolve("none");

    assertThatThrownBy(() -> one(host(missing)))
        .isInstanceOfSatisfying(
            JrtException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.NOT_FOUND))
        .hasMessage("failed to stat \"%s\": no such file or directory".formatted(missing));
    assertThat(missing).doesNotExist();
  }

  @Test
  void missingSourceIsMadeWhenAPersonAsks() throws IOException {
    Path missing = node.root.resolve("made/by/us");

    one(MountRequest.of(new MountSource.HostPath(missing, true), "/data")).close();

    assertThat(missing).isDirectory();
  }

  @Test
  void sourcesAreFollowedThroughLinks() throws IOException {
    node.file("real/file", "hello");
    Path link = Files.createSymbolicLink(node.root.resolve("link"), Path.of("real"));

    try (PreparedMount mount = one(host(link))) {
      assertThat(node.attach(mount, "target").resolve("file")).hasContent("hello");
    }
  }

  @Test
  void devicesAndSocketsAreBoundAsFiles() throws IOException {
    try (PreparedMount device = one(host(Path.of("/dev/null")))) {
      assertThat(device.directory()).isFalse();
      assertThat(Files.size(node.attach(device, "null"))).isZero();
    }
  }

  @Test
  void readOnlyIsForTheMountItselfRecursiveForAllBelow() throws IOException {
    Path source = node.directory("source");
    node.tmpfs("source/below");
    MountRequest readOnly = host(source).asReadOnly();
    MountRequest recursive =
        new MountRequest(
            readOnly.source(), "/data", true, true, Propagation.PRIVATE, false, false, List.of());

    try (PreparedMount plain = one(readOnly);
        PreparedMount deep = one(recursive)) {
      Path a = node.attach(plain, "a");
      Path b = node.attach(deep, "b");
      assertThat(writable(a)).isFalse();
      assertThat(writable(a.resolve("below"))).isTrue();
      assertThat(writable(b)).isFalse();
      assertThat(writable(b.resolve("below"))).isFalse();
      assertThat(writable(source)).as("the node's own view").isTrue();
    }
  }

  @Test
  void optionsShowInTheMountTable() throws IOException {
    MountRequest request =
        new MountRequest(
            new MountSource.HostPath(node.directory("source")),
            "/data",
            false,
            false,
            Propagation.PRIVATE,
            false,
            false,
            List.of("nosuid", "nodev", "noexec", "noatime"));

    try (PreparedMount mount = one(request)) {
      assertThat(entry(node.attach(mount, "target")).options())
          .contains("rw", "nosuid", "nodev", "noexec", "noatime");
    }
  }

  @Test
  void tmpfsHasItsSize() throws IOException {
    MountRequest request = MountRequest.of(new MountSource.Tmpfs(1 << 20, 01777), "/tmp");

    try (PreparedMount mount = one(request)) {
      Path target = node.attach(mount, "target");
      assertThat(Files.getFileStore(target).getTotalSpace()).isEqualTo(1 << 20);
      assertThatThrownBy(() -> Files.write(target.resolve("big"), new byte[2 << 20]))
          .hasMessageContaining("No space left");
      assertThat(entry(target).options()).contains("nosuid", "nodev");
    }
  }

  @Test
  void hundredsOfMountsAreMadeInOneGo() throws IOException {
    List<MountRequest> requests = new ArrayList<>();
    Path source = node.directory("source");
    for (int i = 0; i < 400; i++) {
      requests.add(MountRequest.of(new MountSource.HostPath(source), "/m/" + i));
    }

    List<PreparedMount> mounts = volumes.prepare(requests, context);
    assertThat(mounts).hasSize(400);
    mounts.forEach(PreparedMount::close);
  }

  @Test
  void failureOfOneUndoesAll() throws IOException {
    long descriptors = Node.descriptors();
    Path source = node.directory("source");

    assertThatThrownBy(
            () ->
                volumes.prepare(
                    List.of(
                        MountRequest.of(new MountSource.HostPath(source), "/a"),
                        MountRequest.of(new MountSource.Tmpfs(0, 0755), "/b"),
                        MountRequest.of(new MountSource.HostPath(node.root.resolve("none")), "/c")),
                    context))
        .isInstanceOf(JrtException.class);
    assertThat(Node.descriptors()).isEqualTo(descriptors);
  }

  @Test
  void featuresAreFoundByTrying() {
    VolumeFeatures features = volumes.features();

    assertThat(features.recursiveReadOnly()).isTrue();
    assertThat(features.idMapped()).isTrue();
  }
}
