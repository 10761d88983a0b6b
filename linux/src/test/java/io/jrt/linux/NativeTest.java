package io.jrt.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativeTest {
  private final Files files = Kernel.open().files();

  /** jnr-ffi issue 181: the sixth integer argument must arrive as it was given. */
  @Test
  void sixthArgumentArrives(@TempDir Path temp) {
    int create = OpenFlags.O_CREAT | OpenFlags.O_RDWR;
    try (Fd from = files.open(temp.resolve("from"), create, 0600);
        Fd to = files.open(temp.resolve("to"), create, 0600)) {
      files.writeFully(from, new byte[] {1, 2, 3});
      files.lseek(from, 0, Seek.SEEK_SET);
      assertThat(files.copyFileRange(from, to, 100)).isEqualTo(3);
      // The last argument is flags, of which none exist: anything but 0 is refused.
      long refused =
          Native.raw(SystemCall.COPY_FILE_RANGE, from.value(), 0, to.value(), 0, 1, 0x5a5a5a5a);
      assertThat(refused).isEqualTo(-1);
      assertThat(Native.errno()).isEqualTo(Errno.EINVAL.number());
    }
  }

  @Test
  void errorNamesCallErrnoAndArgument() {
    assertThatThrownBy(() -> files.open(Path.of("/no/such/file"), OpenFlags.O_RDONLY))
        .isInstanceOfSatisfying(
            KernelException.class,
            e -> {
              assertThat(e.call()).isEqualTo("openat");
              assertThat(e.errno()).isEqualTo(Errno.ENOENT);
              assertThat(e.argument()).isEqualTo("/no/such/file");
            })
        .hasMessage("openat /no/such/file: ENOENT (no such file or directory)");
  }

  @Test
  void nulInAPathIsRefusedNotCut(@TempDir Path temp) {
    try (Fd dir = files.openDirectory(temp)) {
      assertThatThrownBy(() -> files.mkdirat(dir, "a\0b", 0755)).hasMessageContaining("EINVAL");
      assertThat(files.list(dir)).isEmpty();
    }
  }

  @Test
  void systemCallNumbersAreDistinct() {
    assertThat(Arrays.stream(SystemCall.values()).map(call -> call.number)).doesNotHaveDuplicates();
  }

  @Test
  void descriptorClosesOnceAndRefusesUseAfterwards() {
    Fd fd = files.open(Path.of("/dev/null"), OpenFlags.O_RDONLY);
    int number = fd.value();
    fd.close();
    // The next file gets the number just freed: a second close must not hit it.
    try (Fd other = files.open(Path.of("/dev/null"), OpenFlags.O_RDONLY)) {
      fd.close();
      assertThat(other.isOpen()).isTrue();
      assertThatThrownBy(fd::value).isInstanceOf(IllegalStateException.class);
      assertThat(files.fstat(other).type()).isEqualTo(FileType.CHARACTER_DEVICE);
    }
    assertThat(number).isGreaterThan(2);
  }

  @Test
  void deviceNumbersKeepAllBits() {
    for (int[] pair : new int[][] {{1, 3}, {259, 1 << 19}, {0xfff, 0xfffff}, {8, 256}}) {
      long packed = DeviceNumber.of(pair[0], pair[1]);
      assertThat(DeviceNumber.major(packed)).isEqualTo(pair[0]);
      assertThat(DeviceNumber.minor(packed)).isEqualTo(pair[1]);
    }
  }

  @Test
  void signalsHaveNamesBothWays() {
    assertThat(Signals.parse("SIGTERM")).hasValue(15);
    assertThat(Signals.parse("term")).hasValue(15);
    assertThat(Signals.parse("9")).hasValue(9);
    assertThat(Signals.parse("SIGRTMIN+3")).hasValue(37);
    assertThat(Signals.parse("RTMAX-1")).hasValue(63);
    assertThat(Signals.parse("NOPE")).isEmpty();
    assertThat(Signals.parse("65")).isEmpty();
    assertThat(Signals.name(37)).isEqualTo("SIGRTMIN+3");
    assertThat(Signals.name(9)).isEqualTo("SIGKILL");
  }
}
