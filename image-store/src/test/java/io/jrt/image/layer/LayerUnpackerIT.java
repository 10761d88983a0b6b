package io.jrt.image.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.luben.zstd.Zstd;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Kernel;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Layers become what overlayfs wants, with every attribute that the tar tells. */
final class LayerUnpackerIT {
  private static final io.jrt.linux.Files FILES = Kernel.open().files();

  @TempDir Path temp;

  @Test
  void everyKindOfEntryAndAttributeArrives() throws Exception {
    byte[] tar =
        new Tars()
            .dir("etc", 0751)
            .entry(
                "etc/x",
                TarConstants.LF_NORMAL,
                "",
                04755,
                12,
                70_000,
                "hello".getBytes(StandardCharsets.UTF_8),
                Map.of(
                    "SCHILY.xattr.user.note", "kept", "SCHILY.xattr.trusted.overlay.opaque", "y"))
            .symlink("etc/l", "../../../outside")
            .hardLink("etc/h", "etc/x")
            .entry("dev/null", TarConstants.LF_CHR, "", 0666, 0, 0, new byte[0], Map.of())
            .entry("fifo", TarConstants.LF_FIFO, "", 0622, 3, 4, new byte[0], Map.of())
            .file("a".repeat(200) + "/" + "b".repeat(90), "long")
            .bytes();
    Path root = unpack("one", tar, Tars.gzip(tar)).resolve("fs");

    assertThat(root.resolve("etc/x")).hasContent("hello");
    assertThat(Files.getAttribute(root.resolve("etc/x"), "unix:mode")).isEqualTo(0104755);
    assertThat(Files.getAttribute(root.resolve("etc/x"), "unix:uid")).isEqualTo(12);
    assertThat(Files.getAttribute(root.resolve("etc/x"), "unix:gid")).isEqualTo(70_000);
    assertThat(Files.getAttribute(root.resolve("etc/x"), "unix:nlink")).isEqualTo(2);
    assertThat(Files.getLastModifiedTime(root.resolve("etc/x")).toMillis())
        .isEqualTo(1_600_000_000_000L);
    assertThat(Files.getLastModifiedTime(root.resolve("etc")).toMillis())
        .isEqualTo(1_600_000_000_000L);
    assertThat(Files.getAttribute(root.resolve("etc"), "unix:mode")).isEqualTo(040751);
    assertThat(Files.readSymbolicLink(root.resolve("etc/l"))).hasToString("../../../outside");
    assertThat(Files.getAttribute(root.resolve("dev/null"), "unix:rdev")).isEqualTo(0x103L);
    assertThat(Files.getAttribute(root.resolve("fifo"), "unix:mode")).isEqualTo(0010622);
    assertThat(root.resolve("a".repeat(200)).resolve("b".repeat(90))).hasContent("long");
    try (var fd = FILES.open(root.resolve("etc/x"), 0)) {
      assertThat(FILES.flistxattr(fd)).containsExactly("user.note");
    }
  }

  @Test
  void zstdAndPlainTarsAreFoundByTheirFirstBytes() {
    byte[] tar = new Tars().file("f", "x".repeat(100_000)).bytes();
    assertThat(unpack("z", tar, Zstd.compress(tar)).resolve("fs/f")).hasSize(100_000);
    assertThat(unpack("p", tar, tar).resolve("fs/f")).hasSize(100_000);
    byte[] half = Tars.gzip(Arrays.copyOf(tar, 700));
    byte[] rest = Tars.gzip(Arrays.copyOfRange(tar, 700, tar.length));
    byte[] members = Arrays.copyOf(half, half.length + rest.length);
    System.arraycopy(rest, 0, members, half.length, rest.length);
    assertThat(unpack("m", tar, members).resolve("fs/f")).hasSize(100_000);
  }

  @Test
  void whiteoutsHideOnlyWhatLiesBelow() throws Exception {
    byte[] tar =
        new Tars()
            .file("d/.wh.gone", "")
            .file("d/.wh..wh..opq", "")
            .file("d/kept", "1")
            .file("d/.wh.kept", "")
            .file(".wh.replaced", "")
            .dir("replaced", 0700)
            .file(".wh..wh.plnk", "")
            .bytes();
    Path root = unpack("w", tar, tar).resolve("fs");
    assertThat(Files.getAttribute(root.resolve("d/gone"), "unix:rdev")).isEqualTo(0L);
    assertThat((Integer) Files.getAttribute(root.resolve("d/gone"), "unix:mode") & 0170000)
        .isEqualTo(0020000);
    assertThat(root.resolve("d/kept")).hasContent("1");
    assertThat(root.resolve(".wh..wh.plnk")).doesNotExist();
    for (String opaque : List.of("d", "replaced")) {
      try (var fd = FILES.openDirectory(root.resolve(opaque))) {
        assertThat(FILES.fgetxattr(fd, "trusted.overlay.opaque")).contains(new byte[] {'y'});
      }
    }
  }

  @Test
  void theLastOfTwinsWinsAndDirectoriesKeepTheirContent() throws Exception {
    byte[] tar =
        new Tars()
            .file("f", "first")
            .hardLink("g", "f")
            .file("f", "second")
            .dir("d", 0755)
            .file("d/x", "x")
            .dir("d", 0700)
            .dir("t", 0755)
            .file("t/x", "x")
            .file("t", "now a file")
            .bytes();
    Path root = unpack("t", tar, tar).resolve("fs");
    assertThat(root.resolve("f")).hasContent("second");
    assertThat(root.resolve("g")).hasContent("first");
    assertThat(root.resolve("d/x")).hasContent("x");
    assertThat(Files.getAttribute(root.resolve("d"), "unix:mode")).isEqualTo(040700);
    assertThat(root.resolve("t")).hasContent("now a file");
  }

  @Test
  void whatALayerDoesNotSayComesFromTheLayersBelow() throws Exception {
    byte[] base =
        new Tars()
            .dir(".", 0711)
            .entry("var/", TarConstants.LF_DIR, "", 01777, 5, 6, new byte[0], Map.of())
            .file("var/data", "from below")
            .bytes();
    byte[] top = new Tars().file("var/new", "n").hardLink("copy", "var/data").bytes();
    Path lower = unpack("base", base, base).resolve("fs");
    Path directory = Files.createDirectory(temp.resolve("top"));
    LayerUnpacker.Unpacked unpacked = unpackTo(directory, top, top);
    assertThat(unpacked.finisher().isComplete()).isFalse();
    unpacked.finisher().finish(List.of(lower));
    Path root = directory.resolve("fs");
    assertThat(Files.getAttribute(root, "unix:mode")).isEqualTo(040711);
    assertThat(Files.getAttribute(root.resolve("var"), "unix:mode")).isEqualTo(041777);
    assertThat(Files.getAttribute(root.resolve("var"), "unix:uid")).isEqualTo(5);
    assertThat(root.resolve("copy")).hasContent("from below");
    assertThat(Files.isSameFile(root.resolve("copy"), root.resolve("var/data"))).isTrue();
  }

  @Test
  void wrongBytesAndWrongImagesAreToldApart() {
    byte[] tar = new Tars().file("f", "x".repeat(10_000)).bytes();
    byte[] gzip = Tars.gzip(tar);
    byte[] damaged = gzip.clone();
    damaged[gzip.length / 2] ^= 0x55;
    assertThatThrownBy(() -> unpackAs("a", damaged, Tars.digest(gzip), gzip.length, tar))
        .isInstanceOfSatisfying(
            JrtException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.DATA_LOSS));
    assertThatThrownBy(() -> unpackAs("b", damaged, Tars.digest(damaged), gzip.length, tar))
        .isInstanceOfSatisfying(
            JrtException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.INVALID));
    assertThatThrownBy(() -> unpackAs("c", gzip, Tars.digest(gzip), gzip.length + 1, tar))
        .isInstanceOfSatisfying(
            JrtException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.DATA_LOSS));
    assertThatThrownBy(() -> unpackAs("d", gzip, Tars.digest(gzip), gzip.length, gzip))
        .hasMessageContaining("diff id");
  }

  private Path unpack(String name, byte[] tar, byte[] compressed) {
    return unpackAs(name, compressed, Tars.digest(compressed), compressed.length, tar);
  }

  private Path unpackAs(
      String name, byte[] compressed, io.jrt.image.Digest digest, long size, byte[] tar) {
    try {
      Path directory = Files.createDirectory(temp.resolve(name));
      unpacker()
          .unpack(
              new ByteArrayInputStream(compressed),
              digest,
              size,
              Tars.digest(tar),
              directory,
              written -> {});
      assertThat(Files.isDirectory(directory.resolve("fs"), LinkOption.NOFOLLOW_LINKS)).isTrue();
      return directory;
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private static LayerUnpacker.Unpacked unpackTo(Path directory, byte[] tar, byte[] compressed) {
    return unpacker()
        .unpack(
            new ByteArrayInputStream(compressed),
            Tars.digest(compressed),
            compressed.length,
            Tars.digest(tar),
            directory,
            written -> {});
  }

  private static LayerUnpacker unpacker() {
    return new LayerUnpacker(FILES, new LayerLimits(1L << 30, 100_000, 250));
  }
}
