package io.jrt.core.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jrt.core.device.DeviceInjection.Library;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LoaderCacheTest {
  private static final Path OWN = Path.of("/etc/ld.so.cache");
  private static final Path LDCONFIG = Path.of("/sbin/ldconfig");

  @TempDir Path directory;

  @Test
  void theLoadersOwnToolReadsWhatWasAdded() throws Exception {
    assumeTrue(Files.exists(OWN) && Files.isExecutable(LDCONFIG));
    byte[] before = Files.readAllBytes(OWN);
    byte[] merged =
        LoaderCacheFile.merge(
            before,
            List.of(
                new Library("libcuda.so.1", "/usr/lib/x/libcuda.so.550.1", ElfFile.X86_64),
                new Library("libc.so.6", "/opt/other/libc.so.6", ElfFile.X86_64)));
    Path file = LoaderCacheFile.write(directory, merged);
    Process process =
        new ProcessBuilder(LDCONFIG.toString(), "-p", "-C", file.toString())
            .redirectErrorStream(true)
            .start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).isZero();
    assertThat(said)
        .contains("libcuda.so.1 (libc6,x86-64) => /usr/lib/x/libcuda.so.550.1")
        .contains("libc.so.6 (libc6,x86-64) => /opt/other/libc.so.6");
    long plain = LoaderCache.parse(before).entries().stream().filter(e -> e.hwcap() == 0).count();
    assertThat(LoaderCache.parse(merged).entries()).hasSize((int) plain + 1);
  }

  @Test
  void damagedCachesOfImagesAreEmptyOrPartial() throws IOException {
    byte[] whole =
        new LoaderCache(List.of(LoaderCache.Entry.of("liba.so.1", "/a/liba.so.1", ElfFile.X86_64)))
            .bytes();
    assertThat(LoaderCache.parse(whole).entries()).hasSize(1);
    for (int length = 0; length < whole.length; length++) {
      LoaderCache.parse(Arrays.copyOf(whole, length));
    }
    Random random = new Random(7);
    for (int round = 0; round < 2000; round++) {
      byte[] damaged = whole.clone();
      damaged[20 + random.nextInt(damaged.length - 20)] = (byte) random.nextInt();
      LoaderCache.parse(damaged);
    }
  }

  @Test
  void orderIsTheLoaders() {
    assertThat(LoaderCache.compare("libx.so.10", "libx.so.9")).isPositive();
    assertThat(LoaderCache.compare("libx.so.1", "libx.so.1")).isZero();
    assertThat(LoaderCache.compare("libx.so", "libx.so.1")).isNegative();
    assertThat(LoaderCache.compare("libx1", "libxa")).isPositive();
  }

  @Test
  void sonameOfARealLibrary() throws IOException {
    Path libc = Path.of("/lib/x86_64-linux-gnu/libc.so.6");
    assumeTrue(Files.exists(libc));
    assertThat(ElfFile.read(libc)).contains(new ElfFile("libc.so.6", ElfFile.X86_64));
    Path text = Files.writeString(directory.resolve("libx.so"), "INPUT(libx.so.1)");
    assertThat(ElfFile.read(text)).isEmpty();
  }
}
