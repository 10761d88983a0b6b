package io.jrt.image.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.image.ClaimCheck;
import io.jrt.image.Digest;
import io.jrt.image.Image;
import io.jrt.image.ImageStore;
import io.jrt.image.ImageStoreConfig;
import io.jrt.image.ImageTree;
import io.jrt.image.LayerProgress;
import io.jrt.image.PullListener;
import io.jrt.image.PullProgress;
import io.jrt.image.PullRequest;
import io.jrt.image.Snapshot;
import io.jrt.image.layer.Tars;
import io.jrt.linux.Kernel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The store over a real registry: names, layers, snapshots, removal, restart. */
final class LocalImageStoreIT {
  private static final Kernel KERNEL = Kernel.open();
  private static final byte[] BASE =
      new Tars().dir("etc", 0755).file("etc/base", "b").file("gone", "x").bytes();
  private static final byte[] TOP = new Tars().file("etc/top", "t").file(".wh.gone", "").bytes();

  @TempDir Path temp;
  private TestRegistry registry;
  private ImageStore store;

  @BeforeEach
  void open() throws Exception {
    registry = TestRegistry.open(temp.resolve("registry"));
    store = newStore();
  }

  @AfterEach
  void close() {
    store.close();
    registry.close();
  }

  private ImageStore newStore() {
    var config =
        new ImageStoreConfig(
            temp.resolve("store"),
            ImageStoreConfig.Registries.NONE,
            ImageStoreConfig.Limits.DEFAULT,
            List.of());
    return LocalImageStore.open(config, KERNEL);
  }

  @Test
  void pullsByTagAndByDigestAndKnowsAllNames() throws Exception {
    TestImage image = TestImage.of(BASE, TOP);
    registry.push("a/b", "v1", image);
    var seen = new ArrayList<PullProgress>();
    Image pulled = store.pull(PullRequest.of(registry.host() + "/a/b:v1"), seen::add);

    String digest = registry.host() + "/a/b@" + Digest.sha256(image.manifest());
    assertThat(pulled.id()).isEqualTo(image.id());
    assertThat(pulled.repoTags()).containsExactly(registry.host() + "/a/b:v1");
    assertThat(pulled.repoDigests()).containsExactly(digest);
    assertThat(pulled.size()).isPositive();
    assertThat(pulled.config().user().through(ClaimCheck.USER).uid()).hasValue(1000);
    assertThat(pulled.config().env().through(ClaimCheck.ENVIRONMENT)).containsExactly("PATH=/bin");
    assertThat(seen.getFirst().phase()).isEqualTo(PullProgress.Phase.QUEUED);
    assertThat(seen.getLast().phase()).isEqualTo(PullProgress.Phase.DONE);
    assertThat(seen.getLast().layers())
        .hasSize(2)
        .allMatch(layer -> layer.phase() == LayerProgress.Phase.DONE);
    assertThat(seen.getLast().doneBytes()).isEqualTo(seen.getLast().totalBytes()).isPositive();

    Image again = store.pull(PullRequest.of(digest), PullListener.NONE);
    assertThat(again.id()).isEqualTo(image.id());
    for (String name :
        List.of(
            image.id(),
            image.id().substring(7),
            image.id().substring(7, 19),
            registry.host() + "/a/b:v1",
            digest)) {
      assertThat(store.find(name)).as(name).map(Image::id).contains(image.id());
    }
    assertThat(store.find("busybox")).isEmpty();
  }

  @Test
  void picksThePlatformFromAnIndex() throws Exception {
    TestImage amd = TestImage.of("amd64", List.of(TOP), List.of(Tars.gzip(TOP)), "+gzip");
    TestImage arm = TestImage.of("arm64", List.of(TOP), List.of(Tars.gzip(TOP)), "+gzip");
    registry.push("multi", "amd", amd);
    registry.push("multi", "arm", arm);
    registry.pushManifest(
        "multi",
        "latest",
        "application/vnd.oci.image.index.v1+json",
        indexWithoutAttestation(amd, arm));
    Image image = store.pull(PullRequest.of(registry.host() + "/multi"), PullListener.NONE);
    assertThat(image.id()).isEqualTo(TestImage.of(TOP).id());
    assertThat(image.repoTags()).containsExactly(registry.host() + "/multi:latest");
  }

  private static byte[] indexWithoutAttestation(TestImage amd, TestImage arm) {
    return """
    {"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[
     {"mediaType":"%1$s","digest":"%2$s","size":%3$d,
      "platform":{"os":"linux","architecture":"arm64","variant":"v8"}},
     {"mediaType":"%1$s","digest":"%4$s","size":%5$d,
      "platform":{"os":"linux","architecture":"amd64"}}]}
    """
        .formatted(
            arm.manifestType(),
            Digest.sha256(arm.manifest()),
            arm.manifest().length,
            Digest.sha256(amd.manifest()),
            amd.manifest().length)
        .getBytes(java.nio.charset.StandardCharsets.UTF_8);
  }

  @Test
  void aSnapshotIsTheImageAsAnOverlay() throws Exception {
    registry.push("s", "1", TestImage.of(BASE, TOP));
    Image image = store.pull(PullRequest.of(registry.host() + "/s:1"), PullListener.NONE);
    Snapshot snapshot = store.prepareSnapshot("c1", image.id());
    assertThat(snapshot.lowerDirs()).hasSize(2);
    Path merged = Files.createDirectory(temp.resolve("merged"));
    String options =
        "lowerdir="
            + String.join(":", snapshot.lowerDirs().stream().map(Path::toString).toList())
            + ",upperdir="
            + snapshot.upper()
            + ",workdir="
            + snapshot.work();
    run("mount", "-t", "overlay", "overlay", "-o", options, merged.toString());
    try {
      assertThat(merged.resolve("etc/base")).hasContent("b");
      assertThat(merged.resolve("etc/top")).hasContent("t");
      assertThat(merged.resolve("gone")).doesNotExist();
      Files.writeString(merged.resolve("written"), "w".repeat(10_000));
    } finally {
      run("umount", merged.toString());
    }
    assertThat(store.prepareSnapshot("c1", image.id())).isEqualTo(snapshot);
    assertThat(store.snapshotUsage("c1").bytes()).isGreaterThanOrEqualTo(10_000);
    assertThat(store.snapshotUsage("c1").inodes()).isEqualTo(2);

    store.close();
    store = newStore();
    assertThat(store.snapshotKeys()).containsExactly("c1");
    assertThat(store.snapshot("c1")).contains(snapshot);
    store.removeSnapshot("c1");
    store.removeSnapshot("c1");
    assertThat(store.snapshot("c1")).isEmpty();
  }

  /** As containerd 2.1 with overlayfs does: a layer is made of its own tar alone. */
  @Test
  void aPathThroughALowerLayersLinkIsADirectoryThatHidesTheLink() throws Exception {
    byte[] base =
        new Tars()
            .dir("usr/lib", 0755)
            .file("usr/lib/a", "a")
            .symlink("lib", "usr/lib")
            .symlink("out", "../../../../../../../../tmp")
            .bytes();
    byte[] top = new Tars().file("lib/b", "b").file("out/jrt-escaped", "e").bytes();
    registry.push("l", "1", TestImage.of(base, top));
    Image image = store.pull(PullRequest.of(registry.host() + "/l:1"), PullListener.NONE);
    List<Path> lower = store.prepareSnapshot("l", image.id()).lowerDirs();
    assertThat(lower.getFirst().resolve("lib")).isDirectory();
    assertThat(lower.getFirst().resolve("lib/b")).hasContent("b");
    assertThat(lower.getFirst().resolve("out/jrt-escaped")).hasContent("e");
    assertThat(Files.isSymbolicLink(lower.getLast().resolve("lib"))).isTrue();
    assertThat(lower.getLast().resolve("usr/lib/b")).doesNotExist();
    assertThat(Path.of("/tmp/jrt-escaped")).doesNotExist();
  }

  @Test
  void removingAnImageFreesWhatNothingElseUses() throws Exception {
    registry.push("r", "1", TestImage.of(BASE, TOP));
    registry.push("r", "2", TestImage.of(BASE));
    Image both = store.pull(PullRequest.of(registry.host() + "/r:1"), PullListener.NONE);
    Image base = store.pull(PullRequest.of(registry.host() + "/r:2"), PullListener.NONE);
    assertThat(layers()).hasSize(2);
    assertThat(store.imageUsage().bytes()).isPositive();
    ImageTree tree = store.imageTree(both.id());
    Snapshot snapshot = store.prepareSnapshot("k", base.id());

    assertThat(store.remove(registry.host() + "/r:1")).isTrue();
    assertThat(store.remove(registry.host() + "/r:1")).isFalse();
    assertThat(store.list()).extracting(Image::id).containsExactly(base.id());
    assertThat(layers()).hasSize(2);
    tree.close();
    assertThat(layers()).hasSize(1);
    assertThat(store.remove(base.id())).isTrue();
    assertThat(snapshot.lowerDirs().getFirst().resolve("etc/base")).hasContent("b");
    store.removeSnapshot("k");
    store.collectGarbage();
    assertThat(layers()).isEmpty();
    assertThat(store.imageUsage().bytes()).isZero();
    try (Stream<Path> blobs = Files.list(temp.resolve("store/blobs/sha256"))) {
      assertThat(blobs).isEmpty();
    }
  }

  @Test
  void aMovedTagLeavesTheOldImageByItsDigest() throws Exception {
    registry.push("m", "t", TestImage.of(BASE));
    String name = registry.host() + "/m:t";
    Image first = store.pull(PullRequest.of(name), PullListener.NONE);
    registry.push("m", "t", TestImage.of(TOP));
    Image second = store.pull(PullRequest.of(name), PullListener.NONE);
    assertThat(second.id()).isNotEqualTo(first.id());
    assertThat(store.find(name)).map(Image::id).contains(second.id());
    assertThat(store.find(first.id()).orElseThrow().repoTags()).isEmpty();
    assertThat(store.find(first.repoDigests().getFirst())).map(Image::id).contains(first.id());
  }

  @Test
  void equalLayersOfPullsAtTheSameTimeAreFetchedOnce() throws Exception {
    byte[] big = new Tars().file("big", "0123456789".repeat(2_000_000)).bytes();
    for (int i = 0; i < 6; i++) {
      registry.push("p", "t" + i, TestImage.of(big, new Tars().file("f" + i, "x").bytes()));
    }
    var phases = new java.util.concurrent.ConcurrentHashMap<String, Integer>();
    var pulls = new ArrayList<Thread>();
    for (int i = 0; i < 6; i++) {
      String name = registry.host() + "/p:t" + i;
      PullListener listener =
          progress -> {
            if (!progress.layers().isEmpty()
                && progress.layers().getFirst().phase() == LayerProgress.Phase.FETCHING) {
              phases.put(progress.id(), 1);
            }
          };
      pulls.add(Thread.startVirtualThread(() -> store.pull(PullRequest.of(name), listener)));
    }
    for (Thread pull : pulls) {
      pull.join();
    }
    assertThat(store.list()).hasSize(6);
    assertThat(phases).hasSize(1);
    assertThat(store.pulls()).isEmpty();
  }

  @Test
  void whatTheRegistryDoesNotHaveIsNotFound() {
    assertThatThrownBy(
            () -> store.pull(PullRequest.of(registry.host() + "/no/such:thing"), PullListener.NONE))
        .isInstanceOfSatisfying(
            JrtException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.NOT_FOUND));
    assertThatThrownBy(() -> store.pull(PullRequest.of("127.0.0.1:1/no:thing"), PullListener.NONE))
        .isInstanceOfSatisfying(
            JrtException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.UNAVAILABLE));
  }

  @Test
  void aDamagedLayerIsFoundAfterAPowerCutAndFetchedAlone() throws Exception {
    TestImage image = TestImage.of(BASE, TOP);
    registry.push("d", "1", image);
    String name = registry.host() + "/d:1";
    store.pull(PullRequest.of(name), PullListener.NONE);
    store.close();
    // As after a power cut: another boot, no clean mark, and a file that lost its bytes.
    Files.writeString(temp.resolve("store/state"), "some-other-boot");
    Path damaged = temp.resolve("store/layers/" + Digest.sha256(BASE).hex() + "/fs/etc/base");
    Files.writeString(damaged, "\0");
    store = newStore();
    assertThatThrownBy(() -> store.prepareSnapshot("k", image.id()))
        .isInstanceOfSatisfying(
            JrtException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.DATA_LOSS));
    assertThat(store.find(name)).isEmpty();
    var last = new ArrayList<PullProgress>();
    store.pull(PullRequest.of(name), last::add);
    assertThat(last.getLast().layers())
        .extracting(LayerProgress::phase)
        .containsExactly(LayerProgress.Phase.DONE, LayerProgress.Phase.PRESENT);
    assertThat(damaged).hasContent("b");
    assertThat(store.prepareSnapshot("k", image.id()).lowerDirs()).hasSize(2);
  }

  private List<Path> layers() throws Exception {
    try (Stream<Path> layers = Files.list(temp.resolve("store/layers"))) {
      return layers.toList();
    }
  }

  private static void run(String... command) throws Exception {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output =
        new String(
            process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(output).isZero();
  }
}
