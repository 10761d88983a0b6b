package io.jrt.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.AbstractList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What a pull takes of the daemon's memory, whatever the size of the image: 150 MB in {@code make
 * test}, a gigabyte by {@code -Djrt.fault=full}.
 */
@Timeout(1200)
class PullMemoryIT {
  private static final boolean FULL = System.getProperty("jrt.fault", "").equals("full");
  private static final int LAYERS = FULL ? 12 : 5;
  private static final int LAYER_SIZE = FULL ? 86 << 20 : 30 << 20;
  private static final int LARGE_LAYER = FULL ? 600 << 20 : 180 << 20;
  private static final int FILE_SIZE = 1 << 20;
  private static final long ALLOWED = 128 << 20;

  @TempDir Path temp;

  /** Layers that are made when they are asked for, since all of them would not fit. */
  private static final class Layers extends AbstractList<byte[]> {
    private final int count;
    private final int size;

    Layers(int count, int size) {
      this.count = count;
      this.size = size;
    }

    @Override
    public byte[] get(int index) {
      Random random = new Random(31L * size + index);
      LayerBuilder layer = new LayerBuilder().directory("data" + index, 0755);
      byte[] content = new byte[FILE_SIZE];
      byte[] noise = new byte[FILE_SIZE / 4];
      for (int file = 0; file < size / FILE_SIZE; file++) {
        random.nextBytes(noise);
        System.arraycopy(noise, 0, content, 0, noise.length);
        layer.file("data" + index + "/f" + file, 0644, content);
      }
      return layer.tar();
    }

    @Override
    public int size() {
      return count;
    }
  }

  private static TestImage image(TestImage.Packing packing, int count, int size) {
    return TestImage.of(Workloads.config(List.of("sh")), packing, new Layers(count, size));
  }

  private static long memory(Daemon daemon, String what) throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/" + daemon.pid() + "/status"))) {
      if (line.startsWith(what + ":")) {
        return Long.parseLong(line.replaceAll("\\D", "")) << 10;
      }
    }
    throw new IOException("no " + what);
  }

  @ParameterizedTest
  @EnumSource(names = {"GZIP", "ZSTD"})
  void aLargeImageTakesLittleMemory(TestImage.Packing packing) throws Exception {
    try (LocalRegistry registry = LocalRegistry.start(temp);
        Daemon daemon = Daemon.start()) {
      requireLittle(registry, daemon, packing, LAYERS, LAYER_SIZE);
    }
  }

  /** Most of it waits for its turn in memory, since it comes faster than it is unpacked. */
  @Test
  void aLargeLayerInRangesTakesLittleMemory() throws Exception {
    try (LocalRegistry registry = LocalRegistry.start(temp);
        Daemon daemon = Daemon.start()) {
      requireLittle(registry, daemon, TestImage.Packing.GZIP, 1, LARGE_LAYER);
    }
  }

  private static void requireLittle(
      LocalRegistry registry, Daemon daemon, TestImage.Packing packing, int layers, int size)
      throws IOException {
    String small = registry.push("it/small", "1", image(packing, layers, 2 << 20));
    String large = registry.push("it/large", "1", image(packing, layers, size));
    // Code and buffers of a first pull are there afterwards, as on a node that runs for a while.
    daemon.cri().pull(small);
    long before = memory(daemon, "VmRSS");
    Files.writeString(Path.of("/proc/" + daemon.pid() + "/clear_refs"), "5"); // the peak, anew
    daemon.cri().pull(large);
    long extra = memory(daemon, "VmHWM") - before;
    System.out.printf(
        "pull of %d MiB, %d layers, %s: %d MiB more memory at the peak than the %d MiB before%n",
        ((long) layers * size) >> 20, layers, packing, extra >> 20, before >> 20);
    assertThat(extra).isLessThan(ALLOWED);
  }
}
