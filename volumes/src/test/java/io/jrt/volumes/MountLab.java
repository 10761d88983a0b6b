package io.jrt.volumes;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrt.linux.MountEntry;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** Mounts on the real kernel, below a tmpfs that is gone after each test. */
abstract class MountLab {
  Node node;
  Volumes volumes;
  final MountContext context = MountContext.of("container-1");

  @BeforeEach
  void start() throws IOException {
    node = new Node();
    volumes = volumes(Duration.ofSeconds(20));
  }

  @AfterEach
  void stop() throws IOException {
    node.close();
  }

  Volumes volumes(Duration timeout) {
    return new Volumes(node.kernel, new VolumesConfig(node.root.resolve("jrt"), timeout));
  }

  PreparedMount one(MountRequest request) {
    List<PreparedMount> mounts = volumes.prepare(List.of(request), context);
    assertThat(mounts).hasSize(1);
    return mounts.getFirst();
  }

  static MountRequest host(Path path) {
    return MountRequest.of(new MountSource.HostPath(path), "/data");
  }

  static MountRequest propagating(Path path, Propagation propagation) {
    return new MountRequest(
        new MountSource.HostPath(path),
        "/data",
        false,
        false,
        propagation,
        false,
        false,
        List.of());
  }

  static boolean writable(Path directory) {
    try {
      Files.delete(Files.createTempFile(directory, "probe", ""));
      return true;
    } catch (FileSystemException e) {
      assertThat(e.getReason()).isEqualTo("Read-only file system");
      return false;
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  MountEntry entry(Path place) {
    return node.kernel.mounts().mountInfo().stream()
        .filter(e -> e.target().equals(place.toString()))
        .reduce((first, second) -> second)
        .orElseThrow();
  }
}
