package io.jrt.linux;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KernelMountsIT {
  private final Kernel kernel = Kernel.open();
  private final Files files = kernel.files();
  private final Mounts mounts = kernel.mounts();
  @TempDir Path temp;

  private Path directory(String name) throws IOException {
    return java.nio.file.Files.createDirectories(temp.resolve(name));
  }

  private List<Layer> layers(int count) throws IOException {
    List<Layer> layers = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      Path layer = directory("layer" + i);
      java.nio.file.Files.writeString(layer.resolve("from"), "layer " + i);
      layers.add(Layer.of(layer));
    }
    return layers;
  }

  @Test
  void overlayShowsTheUppermostLayerAndWritesToTheUpper() throws IOException {
    Path upper = directory("upper");
    OverlayOptions options = OverlayOptions.writable(layers(3), upper, directory("work"));
    try (Fd overlay = mounts.overlay(options.asVolatile())) {
      assertThat(files.readString(overlay, "from")).isEqualTo("layer 0");
      files.mkdirat(overlay, "made", 0755);
      assertThat(upper.resolve("made")).isDirectory();
    }
  }

  @Test
  void overlayTakesTwoHundredLayersAndLongPaths() throws IOException {
    List<Layer> layers = layers(200);
    Path deep = directory("x".repeat(200) + "/" + "y,z:".repeat(40));
    java.nio.file.Files.writeString(deep.resolve("deep"), "d");
    layers.add(Layer.of(deep));
    try (Fd overlay = mounts.overlay(OverlayOptions.readOnly(layers))) {
      assertThat(files.readString(overlay, "deep")).isEqualTo("d");
      assertThat(files.readString(overlay, "from")).isEqualTo("layer 0");
    }
  }

  @Test
  void overlayByOptionStringIsTheSame() throws IOException {
    OverlayOptions options =
        OverlayOptions.writable(layers(40), directory("upper"), directory("work"));
    try (Fd overlay = new OverlayMount(files, mounts, options).byOptionString()) {
      assertThat(files.readString(overlay, "from")).isEqualTo("layer 0");
      files.mkdirat(overlay, "made", 0755);
    }
    assertThat(mounts.mountInfo()).noneMatch(m -> m.target().contains("jrt-overlay"));
  }

  @Test
  void errorsCarryTheKernelsOwnWords() {
    assertThatThrownBy(() -> mounts.newMount("tmpfs", "x", Map.of("nosuch", "1"), 0))
        .hasMessage(
            "fsconfig tmpfs nosuch=1: EINVAL (invalid argument): tmpfs: Unknown parameter"
                + " 'nosuch'");
  }

  @Test
  void bindCloneBecomesReadOnlyWithoutTouchingTheSource() throws IOException {
    Path source = directory("source");
    Path target = directory("target");
    try (Fd bind = mounts.bindClone(source, true)) {
      mounts.setAttributes(bind, MountAttributes.readOnly().with(Propagation.PRIVATE), true);
      mounts.attach(bind, target);
      try {
        assertThatThrownBy(() -> files.mkdirat(bind, "x", 0755)).hasMessageContaining("EROFS");
        assertThat(mounts.mountInfo())
            .filteredOn(m -> m.target().equals(target.toString()))
            .singleElement()
            .satisfies(m -> assertThat(m.options()).contains("ro"));
      } finally {
        assertThat(mounts.detach(target)).isTrue();
      }
    }
    assertThat(mounts.detach(target)).isFalse();
    java.nio.file.Files.createDirectory(source.resolve("still-writable"));
  }

  @Test
  void attachDoesNotFollowAFinalLink() throws IOException {
    Path real = directory("real");
    Path link = java.nio.file.Files.createSymbolicLink(temp.resolve("link"), real);
    try (Fd tmpfs = mounts.tmpfs(Map.of("size", "64k"), MountFlags.MOUNT_ATTR_NODEV)) {
      assertThatThrownBy(() -> mounts.attach(tmpfs, link)).isInstanceOf(KernelException.class);
    }
  }

  @Test
  void removeTreeStopsAtAMount() throws IOException {
    Path tree = directory("tree");
    directory("tree/inner");
    try (Fd tmpfs = mounts.tmpfs(Map.of(), 0);
        Fd dir = files.openDirectory(temp)) {
      files.mkdirat(tmpfs, "precious", 0755);
      mounts.attach(tmpfs, tree.resolve("inner"));
      try {
        assertThatThrownBy(() -> files.removeTree(dir, "tree")).hasMessageContaining("EXDEV");
        assertThat(tree.resolve("inner/precious")).isDirectory();
      } finally {
        mounts.detach(tree.resolve("inner"));
      }
      files.removeTree(dir, "tree");
      assertThat(tree).doesNotExist();
    }
  }

  @Test
  void namespacesLiveWithoutAProcess() throws Exception {
    Map<NamespaceKind, Path> pins =
        Map.of(
            NamespaceKind.NET, temp.resolve("net"),
            NamespaceKind.IPC, temp.resolve("ipc"),
            NamespaceKind.UTS, temp.resolve("uts"));
    String own = java.nio.file.Files.readSymbolicLink(Path.of("/proc/self/ns/net")).toString();
    kernel.namespaces().create(pins);
    try (Fd net = kernel.namespaces().open(temp.resolve("net"))) {
      assertThat(pins.values()).allMatch(kernel.namespaces()::isPinned);
      String inside =
          kernel
              .namespaces()
              .inNetns(net, () -> files.readString(Fd.CWD, "/proc/thread-self/net/dev"));
      assertThat(inside).contains("lo:").doesNotContain("eth0");
      assertThat(java.nio.file.Files.readSymbolicLink(Path.of("/proc/self/ns/net")))
          .hasToString(own);
      assertThatThrownBy(() -> kernel.namespaces().create(pins)).hasMessageContaining("EEXIST");
    } finally {
      kernel.namespaces().unpin(Set.copyOf(pins.values()));
    }
    assertThat(pins.values()).noneMatch(java.nio.file.Files::exists);
  }

  @Test
  void devicesOwnersAndLinkAttributesBelowADirectory() throws IOException {
    try (Fd dir = files.openDirectory(temp)) {
      files.mknodat(dir, "null", FileMode.S_IFCHR | 0666, DeviceNumber.of(1, 3));
      Stat node = files.fstatat(dir, "null", At.AT_SYMLINK_NOFOLLOW);
      assertThat(node.type()).isEqualTo(FileType.CHARACTER_DEVICE);
      assertThat(node.rdev()).isEqualTo(DeviceNumber.of(1, 3));
      files.symlinkat("nowhere", dir, "link");
      byte[] link = "link".getBytes(UTF_8);
      files.fchownat(dir, link, 1234, 70000, At.AT_SYMLINK_NOFOLLOW);
      files.setxattrat(dir, link, "trusted.note", new byte[] {9});
      Stat stat = files.fstatat(dir, "link", At.AT_SYMLINK_NOFOLLOW);
      assertThat(stat.uid()).isEqualTo(1234);
      assertThat(stat.gid()).isEqualTo(70000);
      assertThat(files.getxattrat(dir, link, "trusted.note")).contains(new byte[] {9});
    }
  }
}
