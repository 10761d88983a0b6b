package io.jrt.linux;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KernelFilesTest {
  private static final int CREATE = OpenFlags.O_CREAT | OpenFlags.O_RDWR | OpenFlags.O_EXCL;

  private final Files files = Kernel.open().files();
  @TempDir Path temp;
  private Fd dir = Fd.CWD;

  @BeforeEach
  void open() {
    dir = files.openDirectory(temp);
  }

  @AfterEach
  void close() {
    dir.close();
  }

  @Test
  void statTellsWhatWasSet() {
    try (Fd fd = files.openat(dir, "f", CREATE, 0600)) {
      files.writeFully(fd, "hello".getBytes(UTF_8));
      files.fchmod(fd, 0641);
      files.utimensat(fd, new byte[0], new Timespec(1, 2), new Timespec(-3, 4), 0);
      Stat stat = files.fstat(fd);
      assertThat(stat.size()).isEqualTo(5);
      assertThat(stat.permissions()).isEqualTo(0641);
      assertThat(stat.isRegular()).isTrue();
      assertThat(stat.accessed()).isEqualTo(new Timespec(1, 2));
      assertThat(stat.modified()).isEqualTo(new Timespec(-3, 4));
      assertThat(stat.sameFile(files.fstatat(dir, "f", 0))).isTrue();
    }
    assertThat(files.statIfPresent(dir, "nope", 0)).isEmpty();
    assertThat(files.statIfPresent(dir, "f/nope", 0)).isEmpty();
  }

  @Test
  void bytesComeBackFromHeapAndDirectBuffers() {
    byte[] data = new byte[300_000];
    new Random(7).nextBytes(data);
    try (Fd fd = files.openat(dir, "f", CREATE, 0600)) {
      files.writeFully(fd, ByteBuffer.wrap(data, 0, 100_000));
      files.writeFully(fd, ByteBuffer.allocateDirect(100_000).put(data, 100_000, 100_000).flip());
      ByteBuffer[] rest = {
        ByteBuffer.wrap(data, 200_000, 90_000),
        ByteBuffer.allocateDirect(10_000).put(data, 290_000, 10_000).flip()
      };
      while (rest[0].hasRemaining() || rest[1].hasRemaining()) {
        files.writev(fd, rest);
      }
      files.lseek(fd, 0, Seek.SEEK_SET);
      assertThat(files.readAll(fd)).isEqualTo(data);
      ByteBuffer part = ByteBuffer.allocate(10);
      assertThat(files.pread(fd, part, 299_995)).isEqualTo(5);
      assertThat(files.pread(fd, part, 300_000)).isEqualTo(-1);
    }
  }

  @Test
  void openat2KeepsHostileLinksInside() throws IOException {
    java.nio.file.Files.createSymbolicLink(temp.resolve("up"), Path.of("../../../../etc/passwd"));
    java.nio.file.Files.createDirectory(temp.resolve("etc"));
    java.nio.file.Files.writeString(temp.resolve("etc/passwd"), "mine");
    try (Fd inside = files.openat2(dir, "up", OpenHow.inRoot(OpenFlags.O_RDONLY))) {
      assertThat(files.readAll(inside)).asString(UTF_8).isEqualTo("mine");
    }
    assertThatThrownBy(
            () -> files.openat2(dir, "up", OpenHow.beneathWithoutLinks(OpenFlags.O_RDONLY)))
        .hasMessageContaining("ELOOP");
    assertThatThrownBy(
            () -> files.openat2(dir, "../x", OpenHow.beneathWithoutLinks(OpenFlags.O_RDONLY)))
        .hasMessageContaining("EXDEV");
  }

  @Test
  void removeTreeDoesNotFollowLinks(@TempDir Path other) throws IOException {
    java.nio.file.Files.writeString(other.resolve("precious"), "x");
    files.mkdirat(dir, "t", 0755);
    files.symlinkat(other.toString(), dir, "t/link");
    files.symlinkat(other.toString(), dir, "top");
    files.removeTree(dir, "t");
    files.removeTree(dir, "top");
    files.removeTree(dir, "never-there");
    assertThat(files.list(dir)).isEmpty();
    assertThat(other.resolve("precious")).exists();
  }

  @Test
  void removeTreeManagesDepthThatPathsCannotName() {
    Fd at = files.dup(dir);
    for (int depth = 0; depth < 1500; depth++) {
      files.mkdirat(at, "d", 0755);
      files.openat(at, "f", CREATE, 0600).close();
      Fd next = files.openat(at, "d", OpenFlags.O_RDONLY | OpenFlags.O_DIRECTORY);
      at.close();
      at = next;
    }
    at.close();
    files.removeTree(dir, "d");
    assertThat(files.list(dir)).extracting(e -> e.name().toString()).containsExactly("f");
  }

  @Test
  void listGivesBytesAndTypes() {
    byte[] name = {'a', (byte) 0xff, (byte) 0xfe};
    files.openat(dir, name, CREATE, 0600).close();
    files.mkdirat(dir, "d", 0755);
    files.symlinkat("x", dir, "l");
    assertThat(files.list(dir))
        .extracting(DirectoryEntry::name, DirectoryEntry::type)
        .containsExactlyInAnyOrder(
            org.assertj.core.groups.Tuple.tuple(FileName.of(name), FileType.REGULAR),
            org.assertj.core.groups.Tuple.tuple(FileName.of("d"), FileType.DIRECTORY),
            org.assertj.core.groups.Tuple.tuple(FileName.of("l"), FileType.SYMLINK));
    try (Fd path = files.openat(dir, ".", OpenFlags.O_PATH | OpenFlags.O_DIRECTORY)) {
      assertThat(files.list(path)).hasSize(3);
    }
  }

  @Test
  void namesAreLinkedRenamedAndExchanged() {
    try (Fd unnamed = files.openat(dir, ".", OpenFlags.O_TMPFILE | OpenFlags.O_RDWR, 0600)) {
      files.writeFully(unnamed, new byte[] {42});
      files.linkFd(unnamed, dir, "named".getBytes(UTF_8));
    }
    files.linkat(dir, "named", dir, "second", 0);
    assertThat(files.fstatat(dir, "named", 0).links()).isEqualTo(2);
    files.mkdirat(dir, "d", 0755);
    files.renameat2(dir, "d", dir, "second", At.RENAME_EXCHANGE);
    assertThat(files.fstatat(dir, "second", 0).isDirectory()).isTrue();
    assertThatThrownBy(() -> files.renameat2(dir, "d", dir, "named", At.RENAME_NOREPLACE))
        .hasMessageContaining("EEXIST");
    assertThat(files.mkdirIfAbsent(dir, "second", 0755)).isFalse();
    assertThat(files.unlinkIfPresent(dir, "nope", 0)).isFalse();
  }

  @Test
  void extendedAttributesOfFilesAndNames() {
    try (Fd fd = files.openat(dir, "f", CREATE, 0600)) {
      files.fsetxattr(fd, "user.one", new byte[] {1, 0, 2});
      files.setxattrat(dir, "f".getBytes(UTF_8), "user.two", new byte[0]);
      assertThat(files.flistxattr(fd)).contains("user.one", "user.two");
      assertThat(files.getxattrat(dir, "f".getBytes(UTF_8), "user.one"))
          .contains(new byte[] {1, 0, 2});
      assertThat(files.fgetxattr(fd, "user.two")).contains(new byte[0]);
      files.removexattrat(dir, "f".getBytes(UTF_8), "user.two");
      files.fremovexattr(fd, "user.two");
      assertThat(files.fgetxattr(fd, "user.two")).isEmpty();
    }
  }

  @Test
  void aSealedMemfdIsFinal() {
    try (Fd memfd = files.sealedMemfd("plan", ByteBuffer.wrap(new byte[] {1, 2, 3}))) {
      assertThatThrownBy(() -> files.write(memfd, new byte[1], 0, 1)).hasMessageContaining("EPERM");
      assertThatThrownBy(() -> files.ftruncate(memfd, 1)).hasMessageContaining("EPERM");
      assertThat(files.readAll(memfd)).containsExactly(1, 2, 3);
    }
  }

  @Test
  void teeKeepsWhatSpliceConsumes() {
    try (Pipe from = files.pipe2(0);
        Pipe copy = files.pipe2(OpenFlags.O_NONBLOCK);
        Fd nothing = files.open(Path.of("/dev/null"), OpenFlags.O_WRONLY)) {
      files.writeFully(from.write(), "line\n".getBytes(UTF_8));
      assertThat(files.tee(from.read(), copy.write(), 100, Splice.SPLICE_F_NONBLOCK)).isEqualTo(5);
      assertThat(files.splice(from.read(), nothing, 5, 0)).isEqualTo(5);
      byte[] into = new byte[10];
      assertThat(files.read(copy.read(), into, 0, 10)).isEqualTo(5);
      assertThatThrownBy(() -> files.read(copy.read(), into, 0, 10)).hasMessageContaining("EAGAIN");
      assertThat(files.setPipeSize(from.read(), 1 << 16)).isEqualTo(1 << 16);
    }
  }

  @Test
  void locksExcludeOtherDescriptionsOnly() {
    try (Fd one = files.openat(dir, "lock", CREATE, 0600);
        Fd two = files.openat(dir, "lock", OpenFlags.O_RDWR)) {
      assertThat(files.tryLock(one)).isTrue();
      assertThat(files.tryLock(one)).isTrue();
      assertThat(files.tryLock(two)).isFalse();
      files.unlock(one);
      assertThat(files.tryLock(two)).isTrue();
      assertThat(files.tryFlock(one)).isTrue();
      assertThat(files.tryFlock(two)).isFalse();
    }
  }
}
