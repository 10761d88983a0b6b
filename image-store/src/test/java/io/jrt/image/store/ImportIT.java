package io.jrt.image.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.luben.zstd.Zstd;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.image.Digest;
import io.jrt.image.Image;
import io.jrt.image.ImageStore;
import io.jrt.image.ImageStoreConfig;
import io.jrt.image.PullListener;
import io.jrt.image.layer.Tars;
import io.jrt.linux.Kernel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Archives of every kind become images. */
final class ImportIT {
  private static final byte[] BASE = new Tars().file("base", "b").bytes();
  private static final byte[] TOP = new Tars().file("top", "t").bytes();

  @TempDir Path temp;
  private ImageStore store;

  @BeforeEach
  void open() {
    store =
        LocalImageStore.open(
            new ImageStoreConfig(
                temp.resolve("store"),
                ImageStoreConfig.Registries.NONE,
                ImageStoreConfig.Limits.DEFAULT,
                List.of()),
            Kernel.open());
  }

  @AfterEach
  void close() {
    store.close();
  }

  @Test
  void anOciLayoutAsTarAndAsDirectory() throws Exception {
    TestImage image = TestImage.of(BASE, TOP);
    String index = index(image, "\"org.opencontainers.image.ref.name\":\"example.org/a/b:1\"");
    var tar =
        new Tars()
            .file("oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}")
            .file("index.json", index);
    Path directory = Files.createDirectories(temp.resolve("layout/blobs/sha256"));
    Files.writeString(temp.resolve("layout/oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}");
    Files.writeString(temp.resolve("layout/index.json"), index.replace("a/b:1", "a/b:directory"));
    image
        .blobs()
        .forEach(
            (digest, bytes) -> {
              tar.file("blobs/sha256/" + digest.substring(7), bytes, 0644);
              write(directory.resolve(digest.substring(7)), bytes);
            });
    String hex = Digest.sha256(image.manifest()).hex();
    tar.file("blobs/sha256/" + hex, image.manifest(), 0644);
    write(directory.resolve(hex), image.manifest());
    byte[] plain = tar.bytes();

    write(temp.resolve("a.tar"), plain);
    write(temp.resolve("a.tar.zst"), Zstd.compress(plain));
    Image first = store.importArchive(temp.resolve("a.tar"), PullListener.NONE).getFirst();
    assertThat(first.id()).isEqualTo(image.id());
    assertThat(first.repoTags()).containsExactly("example.org/a/b:1");
    assertThat(first.repoDigests())
        .containsExactly("example.org/a/b@" + Digest.sha256(image.manifest()));
    assertThat(store.importArchive(temp.resolve("a.tar.zst"), PullListener.NONE)).hasSize(1);
    Image second = store.importArchive(temp.resolve("layout"), PullListener.NONE).getFirst();
    assertThat(second.repoTags()).containsExactly("example.org/a/b:1", "example.org/a/b:directory");
    assertThat(store.prepareSnapshot("k", first.id()).lowerDirs().getFirst().resolve("top"))
        .hasContent("t");
  }

  @Test
  void aDockerArchiveWithALinkedLayer() throws Exception {
    TestImage image = TestImage.of("amd64", List.of(BASE, TOP), List.of(BASE, TOP), "");
    byte[] archive =
        new Tars()
            .file("config.json", image.config(), 0644)
            .file("one/layer.tar", BASE, 0644)
            .symlink("two/layer.tar", "../three/layer.tar")
            .file("three/layer.tar", TOP, 0644)
            .file(
                "manifest.json",
                """
                [{"Config":"config.json","RepoTags":["busybox:mine","other/name:2"],
                  "Layers":["one/layer.tar","two/layer.tar"]}]\
                """)
            .bytes();
    write(temp.resolve("docker.tar.gz"), Tars.gzip(archive));
    Image imported =
        store.importArchive(temp.resolve("docker.tar.gz"), PullListener.NONE).getFirst();
    assertThat(imported.id()).isEqualTo(image.id());
    assertThat(imported.repoTags())
        .containsExactly("docker.io/library/busybox:mine", "docker.io/other/name:2");
    assertThat(store.find("busybox:mine")).map(Image::id).contains(image.id());
    assertThat(store.prepareSnapshot("k", image.id()).lowerDirs().getFirst().resolve("top"))
        .hasContent("t");
  }

  @Test
  void whatIsNoArchiveIsRefused() {
    write(temp.resolve("x"), "no archive".getBytes(StandardCharsets.UTF_8));
    write(temp.resolve("y.tar"), new Tars().file("f", "x").bytes());
    for (String name : List.of("x", "y.tar")) {
      assertThatThrownBy(() -> store.importArchive(temp.resolve(name), PullListener.NONE))
          .isInstanceOfSatisfying(
              JrtException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.INVALID));
    }
    assertThatThrownBy(() -> store.importArchive(temp.resolve("none"), PullListener.NONE))
        .isInstanceOfSatisfying(
            JrtException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.NOT_FOUND));
  }

  @Test
  void anArchiveOfAnotherCompressionIsRefusedByItsName() throws Exception {
    byte[] plain = new Tars().file("oci-layout", "{}").bytes();
    for (String name : List.of("xz", "bzip2", "lz4")) {
      write(temp.resolve("a." + name), Packed.by(name, plain));
      assertThatThrownBy(() -> store.importArchive(temp.resolve("a." + name), PullListener.NONE))
          .isInstanceOfSatisfying(
              JrtException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.INVALID))
          .hasMessageContaining("compressed with " + name)
          .hasMessageContaining("gzip and zstd");
    }
  }

  private static String index(TestImage image, String annotation) {
    String entry = TestImage.descriptor(image.manifestType(), image.manifest());
    return "{\"schemaVersion\":2,\"manifests\":["
        + entry.replace("\"size\"", "\"annotations\":{" + annotation + "},\"size\"")
        + "]}";
  }

  private static void write(Path file, byte[] bytes) {
    try {
      Files.write(file, bytes);
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
