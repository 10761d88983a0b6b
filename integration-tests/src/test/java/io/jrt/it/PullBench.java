package io.jrt.it;

import io.jrt.cri.v1.ImageSpec;
import io.jrt.cri.v1.RemoveImageRequest;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;

/**
 * What pulls cost, from a registry on loopback: every runtime in turns, round by round. Nothing of
 * an image is there before a cold pull.
 */
final class PullBench {
  private static final int ROUNDS = Integer.getInteger("bench.pulls", 5);
  private static final int LAYERS = 11;
  private static final int FILES = 100;
  private static final int FILE_SIZE = 256 << 10;

  /** A line of a registry far away: one connection does not get more of it. */
  private static final long LINE = 30_000_000;

  private static final int LINE_ROUNDS = 3;

  /** Takes the time of an action. */
  interface Clock {
    void timed(String who, String what, int round, Runnable action);
  }

  private final Clock clock;
  private final Map<String, Cri> clients;

  PullBench(Clock clock, Map<String, Cri> clients) {
    this.clock = clock;
    this.clients = clients;
  }

  void run(LocalRegistry registry) throws IOException, InterruptedException {
    String gzip = registry.push("bench/layers", "gzip", image(TestImage.Packing.GZIP, 0));
    String zstd = registry.push("bench/layers", "zstd", image(TestImage.Packing.ZSTD, 0));
    String next = registry.push("bench/layers", "next", image(TestImage.Packing.GZIP, 1));
    // The first round brings every runtime's code into memory and is not counted.
    for (int round = -1; round < ROUNDS; round++) {
      for (Map.Entry<String, Cri> client : clients.entrySet()) {
        String who = client.getKey();
        Cri cri = client.getValue();
        int number = round;
        clock.timed(who, "PullImage, 12 gzip layers, 290 MB", number, () -> cri.pull(gzip));
        clock.timed(who, "PullImage, 11 of 12 layers here", number, () -> cri.pull(next));
        clock.timed(who, "PullImage, all here", number, () -> cri.pull(gzip));
        remove(cri, gzip, next);
        clock.timed(who, "PullImage, 12 zstd layers, 290 MB", number, () -> cri.pull(zstd));
        remove(cri, zstd);
        // What was removed is deleted in the background: not at the cost of the next one.
        TimeUnit.SECONDS.sleep(1);
      }
    }
    try (var far = new NarrowLines(registry.address(), LINE)) {
      registry.push("bench/layer", "1", oneLayer());
      String layer = far.address() + "/bench/layer:1";
      for (int round = 0; round < LINE_ROUNDS; round++) {
        for (Map.Entry<String, Cri> client : clients.entrySet()) {
          Cri cri = client.getValue();
          clock.timed(
              client.getKey(),
              "PullImage, 300 MB layer, 30 MB/s a line",
              round,
              () -> cri.pull(layer));
          remove(cri, layer);
          TimeUnit.SECONDS.sleep(1);
        }
      }
    }
  }

  private static void remove(Cri cri, String... images) {
    for (String image : images) {
      cri.images()
          .removeImage(
              RemoveImageRequest.newBuilder()
                  .setImage(ImageSpec.newBuilder().setImage(image))
                  .build());
    }
  }

  /** One layer of 300 MB that no compression makes smaller. */
  private static TestImage oneLayer() {
    Random random = new Random(99);
    LayerBuilder layer = new LayerBuilder().directory("data", 0755);
    byte[] content = new byte[10_000_000];
    for (int file = 0; file < 30; file++) {
      random.nextBytes(content);
      layer.file("data/f" + file, 0644, content);
    }
    return TestImage.of(
        Workloads.config(List.of("sh")), TestImage.Packing.GZIP, List.of(layer.tar()));
  }

  /** Twelve layers, about 290 MB unpacked, half of it noise as in real images. */
  private static TestImage image(TestImage.Packing packing, int version)
      throws IOException, InterruptedException {
    List<byte[]> layers = new ArrayList<>();
    layers.add(Workloads.busyboxLayer());
    for (int i = 0; i < LAYERS; i++) {
      Random random = new Random(i < LAYERS - 1 ? i : i + version);
      LayerBuilder layer = new LayerBuilder().directory("data" + i, 0755);
      for (int file = 0; file < FILES; file++) {
        byte[] content = new byte[FILE_SIZE];
        byte[] noise = new byte[content.length / 2];
        random.nextBytes(noise);
        System.arraycopy(noise, 0, content, 0, noise.length);
        layer.file("data" + i + "/f" + file, 0644, content);
      }
      layers.add(layer.tar());
    }
    return TestImage.of(Workloads.config(List.of("sh")), packing, layers);
  }
}
