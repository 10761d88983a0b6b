package io.jrt.volumes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Fd;
import io.jrt.linux.Layer;
import io.jrt.linux.OverlayOptions;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Project quota on loop-mounted file systems. */
class QuotaIT {
  private static final int MIB = 1 << 20;

  private Node node;

  @BeforeEach
  void start() throws Exception {
    node = new Node();
  }

  @AfterEach
  void stop() throws Exception {
    node.close();
  }

  private Path disk(String type, boolean quota) throws Exception {
    assumeTrue(Node.has("mkfs." + type), "no mkfs." + type);
    List<String> mkfs =
        switch (type) {
          case "ext4" ->
              quota
                  ? List.of(
                      "mkfs.ext4", "-q", "-F", "-O", "quota,project", "-E", "quotatype=prjquota")
                  : List.of("mkfs.ext4", "-q", "-F");
          case "xfs" -> List.of("mkfs.xfs", "-q", "-f");
          default -> throw new IllegalArgumentException(type);
        };
    if (!quota) {
      return node.image("disk", mkfs, "");
    }
    try {
      return node.image("disk", mkfs, ",prjquota");
    } catch (IOException e) {
      assumeTrue(false, "this kernel mounts no " + type + " with project quota: " + e.getMessage());
      throw e;
    }
  }

  private Volumes volumes(Path disk) {
    return new Volumes(node.kernel, new VolumesConfig(disk.resolve("jrt"), Duration.ofSeconds(20)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"ext4", "xfs"})
  void limitHoldsAndNeighboursAreUnaffected(String type) throws Exception {
    Path disk = disk(type, true);
    DirectoryQuota quota = volumes(disk).quota();
    Path limited = Files.createDirectories(disk.resolve("limited"));
    Path neighbour = Files.createDirectories(disk.resolve("neighbour"));
    Files.write(limited.resolve("before"), new byte[MIB]);

    quota.limit(limited, 4 * MIB, 100);
    quota.limit(neighbour, 50 * MIB, 0);

    Files.write(limited.resolve("fits"), new byte[2 * MIB]);
    assertThatThrownBy(
            () -> {
              Files.createDirectories(limited.resolve("deep/er"));
              // ext4 does not hold who has CAP_SYS_RESOURCE; containers have it not.
              Node.run(
                  List.of(
                      "setpriv",
                      "--bounding-set=-sys_resource",
                      "dd",
                      "if=/dev/zero",
                      "of=" + limited.resolve("deep/er/file"),
                      "bs=1M",
                      "count=3"));
            })
        .hasMessageMatching("(?s).*(No space left on device|Disk quota exceeded).*");
    Files.write(neighbour.resolve("file"), new byte[10 * MIB]);

    assertThat(quota.usage(limited).orElseThrow().byteLimit()).isEqualTo(4 * MIB);
    assertThat(quota.usage(limited).orElseThrow().bytes()).isBetween(3L * MIB, 4L * MIB + 65536);
    assertThat(quota.usage(neighbour).orElseThrow().bytes()).isGreaterThanOrEqualTo(10 * MIB);

    quota.limit(limited, 20 * MIB, 0);
    Files.write(limited.resolve("more"), new byte[8 * MIB]);
    quota.release(limited);
    assertThat(quota.usage(limited).orElseThrow().byteLimit()).isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"ext4", "xfs"})
  void fileSystemWithoutQuotaIsNamed(String type) throws Exception {
    Path disk = disk(type, false);
    Volumes volumes = volumes(disk);
    Path directory = Files.createDirectories(disk.resolve("d"));

    assertThat(volumes.quota().unsupported(directory)).isPresent();
    assertThatThrownBy(() -> volumes.quota().limit(directory, MIB, 0))
        .isInstanceOfSatisfying(
            JrtException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.FAILED_PRECONDITION))
        .hasMessageContaining("has no project quota");
    assertThat(volumes.quota().usage(directory)).isEmpty();
    assertThatThrownBy(
            () -> volumes.named().create(new VolumeSpec("v", "local", MIB, Map.of(), Map.of())))
        .hasMessageContaining("has no project quota");
    assertThat(volumes.named().list()).isEmpty();
    assertThat(disk.resolve("jrt/volumes")).isEmptyDirectory();
    volumes.named().create(VolumeSpec.local("v"));
  }

  @Test
  void tmpfsHasNoQuotaAndSaysSo() {
    assertThat(volumes(node.root).quota().unsupported(node.root)).isPresent();
  }

  @ParameterizedTest
  @ValueSource(strings = {"ext4", "xfs"})
  void writableLayerOfAnOverlayIsLimited(String type) throws Exception {
    Path disk = disk(type, true);
    Path snapshot = Files.createDirectories(disk.resolve("snapshot"));
    Path upper = Files.createDirectories(snapshot.resolve("upper"));
    Path work = Files.createDirectories(snapshot.resolve("work"));
    Path lower = Files.createDirectories(disk.resolve("lower"));
    Files.write(lower.resolve("image-file"), new byte[MIB]);
    volumes(disk).quota().limit(snapshot, 4 * MIB, 0);

    Path merged = node.directory("merged");
    try (Fd overlay =
        node.kernel
            .mounts()
            .overlay(OverlayOptions.writable(List.of(Layer.of(lower)), upper, work))) {
      node.kernel.mounts().attach(overlay, merged);
    }
    node.atEnd(() -> node.kernel.mounts().detach(merged));

    // Copied up through the work directory, which must belong to the same project.
    Files.write(
        merged.resolve("image-file"), new byte[] {1}, java.nio.file.StandardOpenOption.APPEND);
    Files.write(merged.resolve("own"), new byte[2 * MIB]);
    assertThatThrownBy(() -> Files.write(merged.resolve("too-much"), new byte[3 * MIB]))
        .hasMessageMatching("(?s).*(No space left on device|Disk quota exceeded).*");
  }

  @ParameterizedTest
  @ValueSource(strings = {"ext4", "xfs"})
  void volumeWithASizeIsFullAtItsSize(String type) throws Exception {
    Path disk = disk(type, true);
    NamedVolumes named = volumes(disk).named();
    VolumeInfo info =
        named.create(new VolumeSpec("sized", "local", 2 * MIB, Map.of("a", "b"), Map.of()));
    assertThat(info.usedBytes()).isPresent();

    ByteArrayOutputStream tar = new ByteArrayOutputStream();
    TarSamples.regular(tar, "big", new byte[4 * MIB]);
    assertThatThrownBy(() -> named.importTar("sized", new ByteArrayInputStream(tar.toByteArray())))
        .isInstanceOfSatisfying(
            JrtException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.NO_SPACE));
    named.remove("sized");
  }
}
