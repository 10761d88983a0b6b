package io.jrt.volumes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Fd;
import io.jrt.linux.MountEntry;
import io.jrt.linux.OpenFlags;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Mounts on the real kernel, below a tmpfs that is gone after each test. */
class VolumesIT {
  private Node node;
  private Volumes volumes;
  private final MountContext context = MountContext.of("container-1");

  @BeforeEach
  void start() throws IOException {
    node = new Node();
    volumes = volumes(Duration.ofSeconds(20));
  }

  @AfterEach
  void stop() throws IOException {
    node.close();
  }

  private Volumes volumes(Duration timeout) {
    return new Volumes(
        node.kernel,
        new VolumesConfig(node.root.resolve("jrt"), node.root.resolve("state"), timeout));
  }

  private PreparedMount one(MountRequest request) {
    List<PreparedMount> mounts = volumes.prepare(List.of(request), context);
    assertThat(mounts).hasSize(1);
    return mounts.getFirst();
  }

  private static MountRequest host(Path path) {
    return MountRequest.of(new MountSource.HostPath(path), "/data");
  }

  private static MountRequest propagating(Path path, Propagation propagation) {
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

  // Host paths -----------------------------------------------------------------------------------

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

  // Options --------------------------------------------------------------------------------------

  private static boolean writable(Path directory) {
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

  private MountEntry entry(Path place) {
    return node.kernel.mounts().mountInfo().stream()
        .filter(e -> e.target().equals(place.toString()))
        .reduce((first, second) -> second)
        .orElseThrow();
  }

  // Propagation ----------------------------------------------------------------------------------

  @Test
  void privateMountsSeeNothingLater() throws IOException {
    Path source = node.shared("source");
    Files.createDirectories(source.resolve("later"));

    try (PreparedMount mount = one(host(source))) {
      Path target = node.attach(mount, "target");
      node.tmpfs("source/later");
      node.file("source/later/x", "");
      assertThat(target.resolve("later/x")).doesNotExist();
    }
  }

  @Test
  void hostToContainerGoesOneWay() throws IOException {
    Path source = node.shared("source");
    Files.createDirectories(source.resolve("later"));
    Files.createDirectories(source.resolve("inner"));

    try (PreparedMount mount = one(propagating(source, Propagation.HOST_TO_CONTAINER))) {
      Path target = node.attach(mount, "target");
      node.tmpfs("source/later");
      node.file("source/later/x", "");
      assertThat(target.resolve("later/x")).exists();

      node.tmpfs("target/inner");
      node.file("target/inner/y", "");
      assertThat(source.resolve("inner/y")).doesNotExist();
    }
  }

  @Test
  void bidirectionalGoesBothWays() throws IOException {
    Path source = node.shared("source");
    Files.createDirectories(source.resolve("later"));
    Files.createDirectories(source.resolve("inner"));

    try (PreparedMount mount = one(propagating(source, Propagation.BIDIRECTIONAL))) {
      Path target = node.attach(mount, "target");
      node.tmpfs("source/later");
      node.file("source/later/x", "");
      assertThat(target.resolve("later/x")).exists();

      node.tmpfs("target/inner");
      node.file("target/inner/y", "");
      assertThat(source.resolve("inner/y")).exists();
      node.kernel.mounts().detach(target.resolve("inner"));
    }
  }

  @Test
  void propagationOfAPrivateMountIsRefusedWithItsMount() throws IOException {
    Path source = node.directory("source");

    assertThatThrownBy(() -> one(propagating(source, Propagation.BIDIRECTIONAL)))
        .isInstanceOfSatisfying(
            JrtException.class,
            e -> {
              assertThat(e.kind()).isEqualTo(ErrorKind.FAILED_PRECONDITION);
              assertThat(e.hint())
                  .contains("make it shared on the node: mount --make-rshared " + node.root);
            })
        .hasMessage(
            "path \"%s\" is mounted on \"%s\" but it is not a shared mount"
                .formatted(source, node.root));
    assertThatThrownBy(() -> one(propagating(source, Propagation.HOST_TO_CONTAINER)))
        .hasMessageEndingWith("but it is not a shared or slave mount");
  }

  // Images ---------------------------------------------------------------------------------------

  private MountRequest image(String subPath, Path... layers) {
    return MountRequest.of(
        new MountSource.Image("example.org/data:1", List.of(layers), subPath), "/image");
  }

  @Test
  void layersAreStackedReadOnlyAndCanBeExecuted() throws IOException {
    node.file("low/both", "low");
    node.file("low/only", "low");
    node.file("high/both", "high");

    try (PreparedMount mount =
        one(image("", node.root.resolve("high"), node.root.resolve("low")))) {
      Path target = node.attach(mount, "target");
      assertThat(target.resolve("both")).hasContent("high");
      assertThat(target.resolve("only")).hasContent("low");
      assertThat(writable(target)).isFalse();
      assertThat(entry(target).options())
          .contains("ro", "nosuid", "nodev")
          .doesNotContain("noexec");
    }
  }

  @Test
  void subPathOfOneAndOfManyLayers() throws IOException {
    node.file("low/a/b/file", "x");
    Path high = node.directory("high");
    Path low = node.root.resolve("low");

    try (PreparedMount single = one(image("a/b", low));
        PreparedMount many = one(image("a/b", high, low));
        PreparedMount file = one(image("a/b/file", high, low))) {
      assertThat(node.attach(single, "t1").resolve("file")).hasContent("x");
      assertThat(node.attach(many, "t2").resolve("file")).hasContent("x");
      assertThat(file.directory()).isFalse();
      assertThat(node.attach(file, "t3")).hasContent("x");
    }
  }

  @Test
  void subPathNeverLeavesTheImage() throws IOException {
    node.file("secret/file", "secret");
    node.file("image/secret/file", "mine");
    Path image = node.root.resolve("image");
    Files.createSymbolicLink(image.resolve("absolute"), node.root.resolve("secret"));
    Files.createSymbolicLink(image.resolve("up"), Path.of("../secret"));
    Files.createSymbolicLink(image.resolve("proc"), Path.of("/proc/self/root"));
    Path high = node.directory("high");

    for (Path[] layers : new Path[][] {{image}, {high, image}}) {
      try (PreparedMount up = one(image("up", layers))) {
        assertThat(node.attach(up, "up" + layers.length).resolve("file")).hasContent("mine");
      }
      for (String subPath :
          List.of("absolute", "proc", "none", "../secret", "/secret", "a/../..")) {
        assertThatThrownBy(() -> one(image(subPath, layers)))
            .isInstanceOf(JrtException.class)
            .hasMessageStartingWith("ImageVolumeMountFailed: image example.org/data:1: sub-path");
      }
    }
  }

  @Test
  void randomTreesOfLinksNeverLeadOutOfTheImage() throws IOException {
    node.file("secret/file", "secret");
    Random random = new Random(5);
    List<String> targets =
        List.of(
            "..",
            "../..",
            "../../secret",
            "/",
            "/secret",
            "/a",
            "b/../../..",
            node.root.resolve("secret").toString(),
            "/proc/self/root",
            "/proc/1/root",
            "/proc/self/fd/3");
    int mounted = 0;
    for (int round = 0; round < 150; round++) {
      Path image = node.directory("image" + round);
      Path at = image;
      StringBuilder subPath = new StringBuilder();
      for (int depth = 0; depth < 4; depth++) {
        String name = String.valueOf((char) ('a' + random.nextInt(3)));
        Path entry = at.resolve(name);
        boolean free = !Files.exists(entry, LinkOption.NOFOLLOW_LINKS);
        if (free && random.nextBoolean()) {
          at = Files.createDirectory(entry);
        } else if (free) {
          Files.createSymbolicLink(entry, Path.of(targets.get(random.nextInt(targets.size()))));
        }
        subPath.append(depth == 0 ? "" : "/").append(name);
      }
      try (PreparedMount mount = one(image(subPath.toString(), image))) {
        mounted++;
        Path place = node.attach(mount, "place" + round);
        assertThat(place.resolve("file")).as("%s of image %d", subPath, round).doesNotExist();
        assertThat(place.resolve("secret")).doesNotExist();
        assertThat(place.resolve("etc")).doesNotExist();
      } catch (JrtException e) {
        assertThat(e).hasMessageStartingWith("ImageVolumeMountFailed: ");
      }
    }
    assertThat(mounted).isGreaterThan(10);
  }

  // Memory ---------------------------------------------------------------------------------------

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

  // Many -----------------------------------------------------------------------------------------

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

  // User namespaces ------------------------------------------------------------------------------

  @Test
  void idMappedMountShowsTheContainersIds() throws Exception {
    Path source = node.directory("source");
    Files.writeString(source.resolve("file"), "x");
    Files.setAttribute(source.resolve("file"), "unix:uid", 5);
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

  // Labels ---------------------------------------------------------------------------------------

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

  private String label(Path path) {
    try (Fd fd = node.kernel.files().open(path, OpenFlags.O_RDONLY | OpenFlags.O_NOFOLLOW)) {
      return node.kernel
          .files()
          .fgetxattr(fd, "security.selinux")
          .map(v -> new String(v, StandardCharsets.UTF_8))
          .orElse("");
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

  // Hanging --------------------------------------------------------------------------------------

  @Test
  void hangingFileSystemIsNamedAndHoldsNobodyElseUp() throws Exception {
    Volumes impatient = volumes(Duration.ofMillis(300));
    Path place = node.directory("dead");
    // A FUSE server that never answers is the nearest thing to a dead NFS server.
    Fd server = node.kernel.files().open(Path.of("/dev/fuse"), OpenFlags.O_RDWR);
    node.atEnd(server::close);
    node.kernel
        .mounts()
        .mount(
            "dead",
            place.toString(),
            "fuse",
            0,
            "fd=%d,rootmode=40000,user_id=0,group_id=0".formatted(server.value()));
    node.atEnd(() -> node.kernel.mounts().detach(place));
    Path below = place.resolve("volume");

    assertThatThrownBy(() -> impatient.prepare(List.of(host(below)), context))
        .isInstanceOfSatisfying(
            JrtException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.DEADLINE))
        .hasMessageStartingWith("mount of %s on /data hangs".formatted(below));
    assertThat(impatient.slowerThan(Duration.ofMillis(100)))
        .singleElement()
        .satisfies(
            slow -> {
              assertThat(slow.what()).startsWith("mount of " + below);
              assertThat(slow.owner()).isEqualTo("container-1");
              assertThat(slow.abandoned()).isTrue();
            });

    impatient.prepare(List.of(host(node.directory("fine"))), context).getFirst().close();

    server.close();
    long until = System.nanoTime() + Duration.ofSeconds(10).toNanos();
    while (!impatient.slowerThan(Duration.ZERO).isEmpty() && System.nanoTime() < until) {
      Thread.sleep(10);
    }
    assertThat(impatient.slowerThan(Duration.ZERO)).isEmpty();
  }

  @Test
  void featuresAreFoundByTrying() {
    VolumeFeatures features = volumes.features();

    assertThat(features.recursiveReadOnly()).isTrue();
    assertThat(features.idMapped()).isTrue();
  }
}
