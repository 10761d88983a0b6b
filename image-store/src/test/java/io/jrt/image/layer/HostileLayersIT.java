package io.jrt.image.layer;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.image.Digest;
import io.jrt.linux.Kernel;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * Archives made to escape, to confuse or to exhaust: whatever comes of the layer, nothing outside
 * of it is made, changed or removed, and what is refused is refused with a kind and a sentence.
 */
final class HostileLayersIT {
  private static final io.jrt.linux.Files FILES = Kernel.open().files();
  private static final LayerLimits LIMITS = new LayerLimits(1L << 30, 20_000, 250);

  @TempDir Path temp;
  private Path outside;
  private List<String> before = List.of();

  @BeforeEach
  void sentinels() throws IOException {
    outside = Files.createDirectory(temp.resolve("outside"));
    Files.writeString(outside.resolve("secret"), "secret");
    Files.createDirectory(outside.resolve("dir"));
    Files.writeString(outside.resolve("dir/inner"), "inner");
    before = state();
  }

  @AfterEach
  void sentinelsAreUntouched() throws IOException {
    assertThat(state()).isEqualTo(before);
  }

  private List<String> state() throws IOException {
    var state = new ArrayList<String>();
    for (Path top : List.of(outside, Path.of("/etc"), Path.of("/"))) {
      try (Stream<Path> files = Files.walk(top, top.equals(outside) ? 9 : 1)) {
        for (Path file : files.sorted().toList()) {
          Map<String, Object> a =
              Files.readAttributes(file, "unix:mode,uid,gid,nlink,ino", LinkOption.NOFOLLOW_LINKS);
          boolean ours = file.startsWith(outside);
          // Others work on this machine: of its own directories only the names count.
          state.add(file + (ours ? a + Files.getLastModifiedTime(file).toString() : ""));
        }
      }
    }
    // /tmp and /proc come and go with others; nothing of ours may be there by these names.
    state.removeIf(line -> !line.startsWith(outside.toString()) && !line.contains("evil"));
    return state;
  }

  @TestFactory
  Stream<DynamicTest> nothingLeavesTheLayer() {
    return corpus().entrySet().stream()
        .map(
            entry ->
                DynamicTest.dynamicTest(
                    entry.getKey(),
                    () -> {
                      refusedOrContained(entry.getKey(), entry.getValue());
                      assertThat(state()).isEqualTo(before);
                    }));
  }

  private Map<String, byte[]> corpus() {
    String out = outside.toString();
    String up = "../".repeat(12);
    var corpus = new LinkedHashMap<String, byte[]>();
    // Names that climb or are absolute.
    corpus.put("dotDot", new Tars().file("../evil", "x").bytes());
    corpus.put("manyDotDots", new Tars().file(up + "evil", "x").bytes());
    corpus.put("dotDotInside", new Tars().file("a/../../evil", "x").bytes());
    corpus.put("dotDotAtTheEnd", new Tars().file("a/..", "x").bytes());
    corpus.put("onlyDotDot", new Tars().dir("..", 0777).bytes());
    corpus.put("absolute", new Tars().file("/evil", "x").bytes());
    corpus.put("absoluteSecret", new Tars().file(out + "/secret", "x").bytes());
    corpus.put("doubleSlash", new Tars().file("//evil", "x").bytes());
    corpus.put("dotSlashes", new Tars().file("./././evil", "x").bytes());
    corpus.put("emptyName", new Tars().file("", "x").bytes());
    corpus.put("dot", new Tars().file(".", "x").bytes());
    corpus.put("slash", new Tars().dir("", 0777).bytes());
    corpus.put("dirDotDot", new Tars().dir("../dir", 0777).bytes());
    corpus.put("paxPathClimbs", pax("ok", Map.of("path", "../../evil")));
    corpus.put("paxPathAbsolute", pax("ok", Map.of("path", out + "/secret")));
    corpus.put("paxPathWithNul", pax("ok", Map.of("path", "a\0b")));
    // Symbolic links, then something through them.
    for (String target :
        List.of(out, "/", up, up + out.substring(1), "../../outside", "/proc/self/cwd/../../")) {
      String name = "linkTo" + target.replace('/', '_');
      corpus.put(name + ":file", new Tars().symlink("l", target).file("l/secret", "x").bytes());
      corpus.put(name + ":dir", new Tars().symlink("l", target).dir("l/dir", 0777).bytes());
      corpus.put(name + ":over", new Tars().symlink("l", target).file("l", "x").bytes());
      corpus.put(
          name + ":hardLink", new Tars().symlink("l", target).hardLink("h", "l/secret").bytes());
      corpus.put(
          name + ":whiteout", new Tars().symlink("l", target).file("l/.wh.secret", "").bytes());
      corpus.put(
          name + ":opaque", new Tars().symlink("l", target).file("l/.wh..wh..opq", "").bytes());
      corpus.put(name + ":dirOver", new Tars().symlink("l", target).dir("l", 0777).bytes());
    }
    corpus.put("linkToSecret", new Tars().symlink("l", out + "/secret").file("l", "x").bytes());
    corpus.put(
        "linkChain", new Tars().symlink("a", "b").symlink("b", out).file("a/secret", "x").bytes());
    corpus.put("linkLoop", new Tars().symlink("a", "b").symlink("b", "a").file("a/x", "x").bytes());
    corpus.put("linkToItself", new Tars().symlink("a", "a").file("a/x", "x").bytes());
    corpus.put("linkToNothing", new Tars().symlink("a", "").file("a/x", "x").bytes());
    corpus.put(
        "dirBecomesLink",
        new Tars().dir("d", 0755).file("d/x", "1").symlink("d", out).file("d/secret", "x").bytes());
    corpus.put("rootBecomesLink", new Tars().symlink(".", out).file("secret", "x").bytes());
    corpus.put(
        "mtimeOfADirectoryThatBecameALink",
        new Tars().dir("d", 0755).file("d", "x").symlink("d", out + "/dir").bytes());
    corpus.put("procRoot", new Tars().symlink("p", "/proc/1/root").file("p/evil", "x").bytes());
    corpus.put("magicFd", new Tars().symlink("p", "/proc/self/fd/0").file("p/evil", "x").bytes());
    // Hard links.
    corpus.put("hardLinkOut", new Tars().hardLink("h", out + "/secret").file("h", "x").bytes());
    corpus.put("hardLinkClimbs", new Tars().hardLink("h", up + "etc/shadow").bytes());
    corpus.put("hardLinkToShadow", new Tars().hardLink("h", "/etc/shadow").bytes());
    corpus.put("hardLinkToDirectory", new Tars().dir("d", 0755).hardLink("h", "d").bytes());
    corpus.put("hardLinkToItself", new Tars().hardLink("h", "h").bytes());
    corpus.put("hardLinkToNothing", new Tars().hardLink("h", "").bytes());
    corpus.put(
        "hardLinkToLink",
        new Tars().symlink("l", out + "/secret").hardLink("h", "l").file("h", "x").bytes());
    // Whiteouts.
    corpus.put("whiteoutOfNothing", new Tars().file(".wh.", "").bytes());
    corpus.put("whiteoutOfDotDot", new Tars().file(".wh...", "").bytes());
    corpus.put("whiteoutOfDot", new Tars().file(".wh..", "").bytes());
    corpus.put("whiteoutClimbs", new Tars().file("../.wh.secret", "").bytes());
    corpus.put("whiteoutAbsolute", new Tars().file(out + "/.wh.secret", "").bytes());
    corpus.put("belowAWhiteout", new Tars().dir(".wh.d", 0755).file(".wh.d/x", "x").bytes());
    corpus.put("whiteoutAsDirectory", new Tars().dir(".wh.secret", 0755).bytes());
    corpus.put("hardLinkToWhiteout", new Tars().file(".wh.x", "").hardLink("h", "x").bytes());
    // Nodes and attributes.
    corpus.put(
        "diskDevice",
        new Tars()
            .entry("sda", TarConstants.LF_BLK, "", 0666, 0, 0, new byte[0], Map.of())
            .bytes());
    corpus.put(
        "deviceThroughLink",
        new Tars()
            .symlink("dev", out)
            .entry("dev/evil", TarConstants.LF_CHR, "", 0666, 0, 0, new byte[0], Map.of())
            .bytes());
    corpus.put(
        "fifoOverFile",
        new Tars()
            .file("f", "x")
            .entry("f", TarConstants.LF_FIFO, "", 0666, 0, 0, new byte[0], Map.of())
            .file("f", "y")
            .bytes());
    corpus.put("setuid", new Tars().file("su", new byte[1], 06755).bytes());
    corpus.put(
        "overlayAttributes",
        pax("f", Map.of("SCHILY.xattr.trusted.overlay.redirect", "/../../outside")));
    corpus.put("wrongCapability", pax("f", Map.of("SCHILY.xattr.security.capability", "nonsense")));
    corpus.put("hugeXattr", pax("f", Map.of("SCHILY.xattr.user.x", "y".repeat(70_000))));
    corpus.put("xattrWithoutName", pax("f", Map.of("SCHILY.xattr.", "y")));
    corpus.put("wrongBase64", pax("f", Map.of("LIBARCHIVE.xattr.user.x", "***=")));
    corpus.put("negativeOwner", pax("f", Map.of("uid", "-1")));
    corpus.put("hugeOwner", pax("f", Map.of("uid", "4294967296")));
    corpus.put("ownerOfNothing", pax("f", Map.of("uid", "4294967295")));
    corpus.put("wrongTime", pax("f", Map.of("mtime", "yesterday")));
    corpus.put("farTime", pax("f", Map.of("mtime", "99999999999999999.5")));
    corpus.put("sparse", pax("f", Map.of("GNU.sparse.major", "1", "GNU.sparse.minor", "0")));
    corpus.put("oldSparse", typed('S'));
    corpus.put("unknownType", typed('Z'));
    corpus.put("negativeSize", pax("f", Map.of("size", "-5")));
    corpus.put("hugeSize", pax("f", Map.of("size", "9223372036854775807")));
    corpus.put("longName", new Tars().file("n".repeat(300), "x").bytes());
    corpus.put("longPath", new Tars().file("d/".repeat(2100) + "x", "x").bytes());
    corpus.put("deepPath", new Tars().file("d/".repeat(2000) + "x", "x").bytes());
    corpus.put("twinsOfEveryKind", twins(out));
    // No tar, or half a tar.
    corpus.put("empty", new byte[0]);
    corpus.put("noise", noise(10_000));
    corpus.put("zeros", new byte[10_240]);
    byte[] whole = new Tars().file("f", "x".repeat(2_000)).bytes();
    corpus.put("cutInHeader", Arrays.copyOf(whole, 300));
    corpus.put("cutInContent", Arrays.copyOf(whole, 1_500));
    byte[] wrongSum = whole.clone();
    wrongSum[5] ^= 1;
    corpus.put("wrongChecksum", wrongSum);
    return corpus;
  }

  /** Written by hand: the library would refuse to write what must be refused when read. */
  private static byte[] pax(String name, Map<String, String> records) {
    var text = new StringBuilder();
    records.forEach(
        (key, value) -> {
          int rest = key.length() + value.length() + 3;
          int length = rest + Integer.toString(rest).length();
          length = rest + Integer.toString(length).length();
          text.append(length).append(' ').append(key).append('=').append(value).append('\n');
        });
    byte[] content = text.toString().getBytes(StandardCharsets.ISO_8859_1);
    return new Tars()
        .entry("pax", (byte) 'x', "", 0644, 0, 0, content, Map.of())
        .file(name, "x")
        .bytes();
  }

  private static byte[] typed(char type) {
    return new Tars().entry("f", (byte) type, "", 0644, 0, 0, new byte[0], Map.of()).bytes();
  }

  private static byte[] twins(String target) {
    var tar = new Tars();
    for (int i = 0; i < 3; i++) {
      tar.file("t", "x").symlink("t", target).dir("t", 0755).file("t/secret", "x");
      tar.entry("t", TarConstants.LF_FIFO, "", 0600, 0, 0, new byte[0], Map.of());
      tar.hardLink("t", "t").file(".wh.t", "");
    }
    return tar.bytes();
  }

  private static byte[] noise(int size) {
    byte[] noise = new byte[size];
    new Random(7).nextBytes(noise);
    return noise;
  }

  @Test
  void damagedTarsByTheThousandAreRefusedOrContained() {
    byte[] tar = twins(outside.toString());
    var random = new Random(42);
    for (int i = 0; i < 400; i++) {
      byte[] damaged = tar.clone();
      for (int n = random.nextInt(1, 6); n > 0; n--) {
        int header = random.nextInt(damaged.length / 512) * 512;
        damaged[header + random.nextInt(512)] = (byte) random.nextInt(256);
        fixChecksum(damaged, header);
      }
      refusedOrContained("fuzz-" + i, damaged);
    }
  }

  private static void fixChecksum(byte[] tar, int header) {
    Arrays.fill(tar, header + 148, header + 156, (byte) ' ');
    int sum = 0;
    for (int i = 0; i < 512; i++) {
      sum += tar[header + i] & 0xff;
    }
    byte[] text = String.format("%06o\0 ", sum).getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(text, 0, tar, header + 148, 8);
  }

  @Test
  void somebodyWhoSwapsDirectoriesMeanwhileGainsNothing() throws Exception {
    var tar = new Tars();
    for (int i = 0; i < 400; i++) {
      tar.dir("d" + i % 7, 0755)
          .file("d" + i % 7 + "/secret", "evil")
          .dir("d" + i % 7 + "/dir", 0777);
    }
    byte[] bytes = tar.bytes();
    Path directory = Files.createDirectory(temp.resolve("race"));
    var running = new AtomicBoolean(true);
    Thread swapper =
        Thread.ofPlatform()
            .start(
                () -> {
                  Path root = directory.resolve("fs");
                  for (int i = 0; running.get(); i++) {
                    Path victim = root.resolve("d" + i % 7);
                    try {
                      Files.move(victim, root.resolve("moved" + i));
                      Files.createSymbolicLink(victim, outside);
                      Thread.onSpinWait();
                      Files.deleteIfExists(victim);
                    } catch (IOException e) {
                      Thread.onSpinWait();
                    }
                  }
                });
    try {
      unpack(directory, new ByteArrayInputStream(bytes), Tars.digest(bytes), bytes.length, bytes);
    } catch (RuntimeException e) {
      // Being disturbed is an error of any kind; leaving the layer is not allowed.
      assertThat(e).hasMessageNotContaining("secret-was-read");
    } finally {
      running.set(false);
      swapper.join();
    }
  }

  @Test
  void bombsEndEarlyWithinBoundedMemory() throws Exception {
    byte[] head = header("zeros", 10L << 30);
    var compressed = new ByteArrayOutputStream();
    try (var gzip = new GZIPOutputStream(compressed, 64 << 10)) {
      gzip.write(head);
      byte[] zeros = new byte[1 << 20];
      for (int i = 0; i < 1600; i++) {
        gzip.write(zeros);
      }
    }
    byte[] bomb = compressed.toByteArray();
    long used = heap();
    assertThat(failure("bomb", bomb, new byte[0], new LayerLimits(64L << 30, 1000, 250)))
        .hasMessageContaining("grows above 250 times");
    assertThat(failure("limit", bomb, new byte[0], new LayerLimits(64L << 20, 1000, 250)))
        .hasMessageContaining("grows above the limit");
    assertThat(heap() - used).isLessThan(64L << 20);

    var many = new Tars();
    for (int i = 0; i < 2_000; i++) {
      many.file("f" + i, "");
    }
    byte[] entries = many.bytes();
    assertThat(failure("many", entries, entries, new LayerLimits(1L << 30, 1000, 250)))
        .hasMessageContaining("more entries");
  }

  private static long heap() {
    System.gc();
    return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
  }

  private static byte[] header(String name, long size) {
    byte[] header = new byte[512];
    byte[] text = name.getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(text, 0, header, 0, text.length);
    System.arraycopy("0000644\0".getBytes(StandardCharsets.US_ASCII), 0, header, 100, 8);
    header[124] = (byte) 0x80;
    for (int i = 0; i < 8; i++) {
      header[128 + i] = (byte) (size >>> (56 - 8 * i));
    }
    header[156] = '0';
    fixChecksum(header, 0);
    return header;
  }

  private JrtException failure(String name, byte[] compressed, byte[] tar, LayerLimits limits)
      throws IOException {
    Path directory = Files.createDirectory(temp.resolve(name));
    try {
      new LayerUnpacker(FILES, limits)
          .unpack(
              new ByteArrayInputStream(compressed),
              Tars.digest(compressed),
              compressed.length,
              Tars.digest(tar),
              directory,
              written -> {});
    } catch (JrtException e) {
      assertThat(e.kind()).isEqualTo(ErrorKind.INVALID);
      return e;
    }
    throw new AssertionError("nothing was refused");
  }

  private void refusedOrContained(String name, byte[] tar) {
    Path directory = temp.resolve("layer-" + Integer.toHexString(name.hashCode()));
    try {
      Files.createDirectory(directory);
      LayerUnpacker.Unpacked unpacked =
          unpack(directory, new ByteArrayInputStream(tar), Tars.digest(tar), tar.length, tar);
      unpacked.finisher().finish(List.of());
      assertThat(LayerVerifier.damage(FILES, directory)).isEmpty();
    } catch (JrtException e) {
      assertThat(e.kind()).as(name + ": " + e.getMessage()).isEqualTo(ErrorKind.INVALID);
      assertThat(e.getMessage()).isNotBlank();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    } finally {
      try (var fd = FILES.openDirectory(temp)) {
        FILES.removeTree(fd, String.valueOf(directory.getFileName()));
      }
    }
  }

  private static LayerUnpacker.Unpacked unpack(
      Path directory, InputStream compressed, Digest digest, long size, byte[] tar) {
    return new LayerUnpacker(FILES, LIMITS)
        .unpack(
            new SequenceInputStream(compressed, InputStream.nullInputStream()),
            digest,
            size,
            Tars.digest(tar),
            directory,
            written -> {});
  }
}
