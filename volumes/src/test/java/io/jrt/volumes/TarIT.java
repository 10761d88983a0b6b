package io.jrt.volumes;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Fd;
import io.jrt.linux.Kernel;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tar streams, ours and another implementation's, well meant and hostile. */
class TarIT {
  private final Kernel kernel = Kernel.open();

  @TempDir Path directory;
  private Path outside;
  private Path target;

  @BeforeEach
  void start() throws IOException {
    outside = Files.createDirectories(directory.resolve("outside"));
    Files.writeString(outside.resolve("sentinel"), "untouched");
    target = Files.createDirectories(directory.resolve("target"));
  }

  private interface Content {
    void write(TarArchiveOutputStream tar) throws IOException;
  }

  private static byte[] tar(Content content) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (TarArchiveOutputStream tar = TarSamples.open(bytes)) {
      content.write(tar);
    }
    return bytes.toByteArray();
  }

  private void unpack(InputStream in) {
    try (Fd root = kernel.files().openDirectory(target)) {
      new TarReader(kernel.files(), in).unpack(root);
    }
  }

  private void unpack(Content content) throws IOException {
    unpack(new ByteArrayInputStream(tar(content)));
  }

  private byte[] pack(Path root) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (Fd dir = kernel.files().openDirectory(root)) {
      new TarWriter(kernel.files(), bytes).write(dir);
    }
    return bytes.toByteArray();
  }

  private void outsideIsUntouched() throws IOException {
    assertThat(outside.resolve("sentinel")).hasContent("untouched");
    try (Stream<Path> files = Files.list(outside)) {
      assertThat(files).containsExactly(outside.resolve("sentinel"));
    }
    try (Stream<Path> files = Files.list(directory)) {
      assertThat(files).containsExactlyInAnyOrder(outside, target);
    }
  }

  // Well meant -----------------------------------------------------------------------------------

  @Test
  void everythingSurvivesTheRoundTrip() throws IOException {
    Path source = Files.createDirectories(directory.resolve("source"));
    Path deep = Files.createDirectories(source.resolve("a/" + "long-name-".repeat(20)));
    byte[] random = new byte[700_000];
    new Random(3).nextBytes(random);
    Files.write(deep.resolve("file"), random);
    Files.createLink(source.resolve("z-hard"), deep.resolve("file"));
    Files.createSymbolicLink(source.resolve("soft"), Path.of("x".repeat(200)));
    Files.writeString(source.resolve("empty"), "");
    Files.setAttribute(source.resolve("empty"), "unix:mode", 04750);
    Files.setAttribute(source.resolve("empty"), "unix:uid", 3_000_000);
    Files.setAttribute(source.resolve("empty"), "unix:gid", 7);
    Files.setAttribute(source.resolve("empty"), "unix:mode", 04750);
    Files.setAttribute(source.resolve("empty"), "user:colour", UTF_8.encode("blue"));
    Files.setLastModifiedTime(
        source.resolve("empty"), FileTime.from(Instant.ofEpochSecond(1234567890, 123456789)));
    Files.setLastModifiedTime(source.resolve("a"), FileTime.from(Instant.ofEpochSecond(99)));

    unpack(new ByteArrayInputStream(pack(source)));

    assertThat(target.resolve(source.relativize(deep)).resolve("file")).hasBinaryContent(random);
    assertThat(Files.getAttribute(target.resolve("z-hard"), "unix:nlink")).isEqualTo(2);
    assertThat(Files.readSymbolicLink(target.resolve("soft"))).isEqualTo(Path.of("x".repeat(200)));
    assertThat((int) Files.getAttribute(target.resolve("empty"), "unix:mode") & 07777)
        .isEqualTo(04750);
    assertThat(Files.getAttribute(target.resolve("empty"), "unix:uid")).isEqualTo(3_000_000);
    assertThat(Files.getAttribute(target.resolve("empty"), "unix:gid")).isEqualTo(7);
    assertThat((byte[]) Files.getAttribute(target.resolve("empty"), "user:colour"))
        .isEqualTo("blue".getBytes(UTF_8));
    assertThat(Files.getLastModifiedTime(target.resolve("empty")).toInstant())
        .isEqualTo(Instant.ofEpochSecond(1234567890, 123456789));
    assertThat(Files.getLastModifiedTime(target.resolve("a")).toInstant())
        .isEqualTo(Instant.ofEpochSecond(99));
  }

  @Test
  void anotherImplementationReadsOurs() throws IOException {
    Path source = Files.createDirectories(directory.resolve("source/" + "d".repeat(150)));
    Files.writeString(source.resolve("file-ä"), "hello");
    Map<String, String> seen = new HashMap<>();
    try (TarArchiveInputStream in =
        new TarArchiveInputStream(
            new ByteArrayInputStream(pack(directory.resolve("source"))), "UTF-8")) {
      TarArchiveEntry entry;
      while ((entry = in.getNextEntry()) != null) {
        seen.put(entry.getName(), new String(in.readAllBytes(), UTF_8));
      }
    }

    assertThat(seen)
        .containsEntry("d".repeat(150) + "/file-ä", "hello")
        .containsKey("d".repeat(150) + "/");
  }

  @Test
  void gnuNamesAndMissingDirectoriesAreUnderstood() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (TarArchiveOutputStream tar = new TarArchiveOutputStream(bytes, "UTF-8")) {
      tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_GNU);
      TarSamples.add(tar, new TarArchiveEntry("a/".repeat(80) + "file"), "x".getBytes(UTF_8));
    }
    unpack(new ByteArrayInputStream(bytes.toByteArray()));

    assertThat(target.resolve("a/".repeat(80) + "file")).hasContent("x");
  }

  @Test
  void laterEntriesReplaceEarlierOnes() throws IOException {
    unpack(
        tar -> {
          TarSamples.link(tar, "name", TarConstants.LF_SYMLINK, "elsewhere");
          TarSamples.add(tar, new TarArchiveEntry("name"), "file".getBytes(UTF_8));
        });

    assertThat(target.resolve("name")).hasContent("file").isRegularFile();
  }

  // Hostile --------------------------------------------------------------------------------------

  @ParameterizedTest
  @ValueSource(
      strings = {"../outside/x", "a/../../outside/x", "..", "a/..", "./../outside/sentinel"})
  void namesWithDotsAreRefused(String name) throws IOException {
    assertThatThrownBy(
            () -> unpack(tar -> TarSamples.add(tar, new TarArchiveEntry(name, true), new byte[1])))
        .isInstanceOf(JrtException.class)
        .hasMessageContaining("has a part \"..\"");
    outsideIsUntouched();
  }

  @Test
  void absoluteNamesStayInside() throws IOException {
    String name = outside.resolve("sentinel").toString();
    unpack(tar -> TarSamples.add(tar, new TarArchiveEntry(name, true), "evil".getBytes(UTF_8)));

    outsideIsUntouched();
    assertThat(target.resolve(name.substring(1))).hasContent("evil");
  }

  @ParameterizedTest
  @ValueSource(strings = {"../outside", "/proc/self/cwd", "/", "."})
  void filesThroughALinkThatTheTarBroughtAreRefused(String to) throws IOException {
    for (String name : new String[] {"link/sentinel", "link/d/new", "link/./x"}) {
      assertThatThrownBy(
              () ->
                  unpack(
                      tar -> {
                        TarSamples.link(tar, "link", TarConstants.LF_SYMLINK, to);
                        TarSamples.add(tar, new TarArchiveEntry(name, true), new byte[1]);
                      }))
          .isInstanceOfSatisfying(
              JrtException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.INVALID));
      outsideIsUntouched();
    }
  }

  @Test
  void fileOverALinkReplacesTheLink() throws IOException {
    unpack(
        tar -> {
          TarSamples.link(
              tar, "link", TarConstants.LF_SYMLINK, outside.resolve("sentinel").toString());
          TarSamples.add(tar, new TarArchiveEntry("link"), "evil".getBytes(UTF_8));
        });

    outsideIsUntouched();
    assertThat(Files.isRegularFile(target.resolve("link"), LinkOption.NOFOLLOW_LINKS)).isTrue();
  }

  @Test
  void directoryOverALinkIsRefused() throws IOException {
    assertThatThrownBy(
            () ->
                unpack(
                    tar -> {
                      TarSamples.link(tar, "link", TarConstants.LF_SYMLINK, "../outside");
                      TarArchiveEntry entry = new TarArchiveEntry("link/");
                      entry.setMode(0777);
                      TarSamples.add(tar, entry, new byte[0]);
                    }))
        .isInstanceOf(JrtException.class);
    outsideIsUntouched();
  }

  @Test
  void hardLinksToOutsideAreRefused() throws IOException {
    for (String to :
        new String[] {"../outside/sentinel", "link/sentinel", "/etc/shadow", "", "none"}) {
      assertThatThrownBy(
              () ->
                  unpack(
                      tar -> {
                        TarSamples.link(tar, "link", TarConstants.LF_SYMLINK, "../outside");
                        TarSamples.link(tar, "hard", TarConstants.LF_LINK, to);
                      }))
          .isInstanceOf(JrtException.class);
      assertThat(target.resolve("hard")).doesNotExist();
    }
    outsideIsUntouched();
  }

  @Test
  void hardLinkToALinkLinksTheLink() throws IOException {
    unpack(
        tar -> {
          TarSamples.link(
              tar, "link", TarConstants.LF_SYMLINK, outside.resolve("sentinel").toString());
          TarSamples.link(tar, "hard", TarConstants.LF_LINK, "link");
          TarSamples.add(tar, new TarArchiveEntry("hard"), "evil".getBytes(UTF_8));
        });
    outsideIsUntouched();
  }

  @Test
  void devicesAreRefused() {
    for (byte type : new byte[] {TarConstants.LF_CHR, TarConstants.LF_BLK}) {
      assertThatThrownBy(
              () ->
                  unpack(tar -> TarSamples.add(tar, new TarArchiveEntry("dev", type), new byte[0])))
          .isInstanceOfSatisfying(
              JrtException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.DENIED));
    }
  }

  @Test
  void overlaysOwnAttributesAreRefused() {
    assertThatThrownBy(
            () ->
                unpack(
                    tar -> {
                      TarArchiveEntry entry = new TarArchiveEntry("file");
                      entry.addPaxHeader("SCHILY.xattr.trusted.overlay.opaque", "y");
                      TarSamples.add(tar, entry, new byte[0]);
                    }))
        .hasMessageContaining("overlayfs' own");
  }

  @Test
  void endlessNamesAndHeadersAreRefused() {
    assertThatThrownBy(
            () ->
                unpack(
                    tar ->
                        TarSamples.add(
                            tar, new TarArchiveEntry("a/".repeat(3000) + "x"), new byte[0])))
        .hasMessageContaining("a name has 6001 bytes");
    assertThatThrownBy(
            () ->
                unpack(
                    tar -> {
                      TarArchiveEntry entry = new TarArchiveEntry("file");
                      entry.addPaxHeader("SCHILY.xattr.user.big", "y".repeat(2 << 20));
                      TarSamples.add(tar, entry, new byte[0]);
                    }))
        .hasMessageContaining("an extended header has");
  }

  @Test
  void cutAndDamagedStreamsAreRefusedAndNothingLeavesTheTarget() throws IOException {
    byte[] whole =
        tar(
            tar -> {
              TarSamples.add(tar, new TarArchiveEntry("a/file"), new byte[1000]);
              TarSamples.link(tar, "a/link", TarConstants.LF_SYMLINK, "../../outside");
              TarArchiveEntry entry = new TarArchiveEntry("b".repeat(120));
              TarSamples.add(tar, entry, new byte[10]);
            });
    Random random = new Random(7);
    for (int round = 0; round < 2000; round++) {
      byte[] damaged = whole.clone();
      for (int i = 0; i < 1 + round % 4; i++) {
        damaged[random.nextInt(damaged.length)] = (byte) random.nextInt();
      }
      int length = round % 3 == 0 ? random.nextInt(damaged.length) : damaged.length;
      try {
        unpack(new ByteArrayInputStream(damaged, 0, length));
      } catch (JrtException e) {
        assertThat(e.kind())
            .isIn(ErrorKind.INVALID, ErrorKind.DENIED, ErrorKind.UNAVAILABLE, ErrorKind.NO_SPACE);
      }
    }
    outsideIsUntouched();
  }
}
