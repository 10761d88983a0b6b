package io.jrt.image.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.image.ImageStore;
import io.jrt.image.ImageStoreConfig;
import io.jrt.image.PullListener;
import io.jrt.image.PullRequest;
import io.jrt.image.layer.Tars;
import io.jrt.linux.Fd;
import io.jrt.linux.Kernel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A file system that is too small for an image. */
final class FullDiskIT {
  private static final Kernel KERNEL = Kernel.open();
  private static final long DISK = 6 << 20;

  @TempDir Path temp;
  private Path disk;
  private TestRegistry registry;
  private FaultProxy proxy;

  @BeforeEach
  void open() throws Exception {
    disk = Files.createDirectory(temp.resolve("disk"));
    try (Fd mount = KERNEL.mounts().tmpfs(Map.of("mode", "755", "size", Long.toString(DISK)), 0)) {
      KERNEL.mounts().attach(mount, disk);
    }
    registry = TestRegistry.open(temp.resolve("registry"));
    proxy = new FaultProxy(registry.host());
  }

  @AfterEach
  void close() {
    proxy.close();
    registry.close();
    KERNEL.mounts().detach(disk);
  }

  private ImageStore store(long keepFree) {
    var defaults = ImageStoreConfig.Limits.DEFAULT;
    var limits =
        new ImageStoreConfig.Limits(
            defaults.parallelPulls(),
            defaults.parallelLayers(),
            defaults.rangeBytes(),
            defaults.bytesPerSecond(),
            defaults.noProgress(),
            defaults.maxLayerBytes(),
            defaults.maxLayerEntries(),
            defaults.maxExpansion(),
            keepFree);
    return LocalImageStore.open(
        new ImageStoreConfig(
            disk.resolve("store"), ImageStoreConfig.Registries.NONE, limits, List.of()),
        KERNEL);
  }

  private void requireNothingKept(ImageStore store) throws Exception {
    assertThat(store.list()).isEmpty();
    store.collectGarbage();
    Waiting.until(
        "nothing is kept of it",
        () -> {
          for (String place : List.of("layers", "ingest", "tmp", "blobs/sha256")) {
            try (Stream<Path> left = Files.list(disk.resolve("store").resolve(place))) {
              if (left.findAny().isPresent()) {
                return false;
              }
            }
          }
          return true;
        });
  }

  @Test
  void whatTheManifestTellsIsRefusedWithTheNumbersBeforeAByteIsFetched() throws Exception {
    registry.push("a/b", "1", TestImage.of(new Tars().file("f", new byte[1000], 0644).bytes()));
    try (ImageStore store = store(1L << 40)) {
      assertThatThrownBy(
              () -> store.pull(PullRequest.of(proxy.host() + "/a/b:1"), PullListener.NONE))
          .isInstanceOfSatisfying(
              JrtException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.NO_SPACE))
          .hasMessageContaining("the layers need at least ")
          .hasMessageContaining(" bytes free, of which " + (1L << 40) + " are kept free");
      // The configuration, which is small, and not the layer.
      assertThat(proxy.seen().stream().filter(line -> line.contains("/blobs/"))).hasSize(1);
      requireNothingKept(store);
    }
  }

  @Test
  void aDiskThatFillsUpOnTheWayIsToldAndAnImageThatFitsComesAfterwards() throws Exception {
    byte[] zeros = new byte[(int) DISK * 2];
    registry.push("a/b", "1", TestImage.of(new Tars().file("zeros", zeros, 0644).bytes()));
    registry.push("a/b", "2", TestImage.of(new Tars().file("f", new byte[1000], 0644).bytes()));
    try (ImageStore store = store(0)) {
      assertThatThrownBy(
              () -> store.pull(PullRequest.of(proxy.host() + "/a/b:1"), PullListener.NONE))
          .isInstanceOfSatisfying(
              JrtException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.NO_SPACE));
      requireNothingKept(store);
      store.pull(PullRequest.of(proxy.host() + "/a/b:2"), PullListener.NONE);
      assertThat(store.list()).hasSize(1);
    }
  }
}
