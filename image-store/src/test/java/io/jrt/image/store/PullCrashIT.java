package io.jrt.image.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrt.image.Image;
import io.jrt.image.ImageStore;
import io.jrt.image.ImageStoreConfig;
import io.jrt.image.PullListener;
import io.jrt.image.PullRequest;
import io.jrt.image.layer.Tars;
import io.jrt.linux.Kernel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The daemon dies in the middle of a pull: what the next pull makes of it. */
final class PullCrashIT {
  private static final Kernel KERNEL = Kernel.open();
  private static final int SIZE = 3_000_000;
  private static final Pattern RANGE = Pattern.compile("range=bytes=(\\d+)-");

  @TempDir Path temp;
  private TestRegistry registry;
  private FaultProxy proxy;
  private TestImage image;

  @BeforeEach
  void open() throws Exception {
    registry = TestRegistry.open(temp.resolve("registry"));
    proxy = new FaultProxy(registry.host());
    image = TestImage.of(noise("one", 1), noise("two", 2), new Tars().file("small", "s").bytes());
    registry.push("a/b", "1", image);
  }

  @AfterEach
  void close() {
    proxy.close();
    registry.close();
  }

  private static byte[] noise(String name, int seed) throws Exception {
    byte[] noise = new byte[SIZE];
    new Random(seed).nextBytes(noise);
    return new Tars().file(name, noise, 0644).bytes();
  }

  private ImageStore store(Path root) {
    var config =
        new ImageStoreConfig(
            root, ImageStoreConfig.Registries.NONE, ImageStoreConfig.Limits.DEFAULT, List.of());
    return LocalImageStore.open(config, KERNEL);
  }

  private List<String> child(Path root, int expected, String... death) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("--enable-native-access=ALL-UNNAMED");
    command.add("-XX:TieredStopAtLevel=1");
    command.add("-XX:+UseSerialGC");
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(PullChild.class.getName());
    command.add(root.toString());
    command.add(proxy.host() + "/a/b:1");
    command.addAll(List.of(death));
    Path output = temp.resolve("child.out");
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    try {
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
      List<String> lines = Files.readAllLines(output, StandardCharsets.UTF_8);
      assertThat(process.exitValue()).as(lines::toString).isEqualTo(expected);
      return lines.stream().filter(l -> l.startsWith("step ")).map(l -> l.substring(5)).toList();
    } finally {
      process.destroyForcibly();
    }
  }

  /** Bytes of layers that were asked for, by what the requests say. */
  private long asked() {
    long bytes = 0;
    for (String line : proxy.seen()) {
      for (byte[] layer : image.layers()) {
        if (line.startsWith("GET") && line.contains(io.jrt.image.Digest.sha256(layer).hex())) {
          Matcher range = RANGE.matcher(line);
          bytes += layer.length - (range.find() ? Long.parseLong(range.group(1)) : 0);
        }
      }
    }
    return bytes;
  }

  private void requireWhole(Path root, ImageStore store) throws Exception {
    Image pulled = store.pull(PullRequest.of(proxy.host() + "/a/b:1"), PullListener.NONE);
    assertThat(pulled.id()).isEqualTo(image.id());
    List<Path> lower = store.prepareSnapshot("k", pulled.id()).lowerDirs();
    assertThat(lower.get(2).resolve("one")).hasSize(SIZE);
    assertThat(lower.get(1).resolve("two")).hasSize(SIZE);
    assertThat(lower.get(0).resolve("small")).hasContent("s");
    store.collectGarbage();
    assertThat(names(root.resolve("layers"))).hasSize(3);
    assertThat(names(root.resolve("ingest"))).isEmpty();
    assertThat(names(root.resolve("images"))).hasSize(1);
    assertThat(names(root.resolve("blobs/sha256"))).hasSize(2);
    Waiting.until(
        "nothing is left of what was half-made",
        () ->
            names(root).stream().noneMatch(name -> name.startsWith("trash"))
                && names(root.resolve("tmp")).isEmpty());
  }

  private static List<String> names(Path directory) throws Exception {
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(path -> String.valueOf(path.getFileName())).toList();
    }
  }

  @Test
  void killedAtEveryStepAPullEndsWellTheNextTimeAndFetchesNothingTwice() throws Exception {
    Map<String, Integer> steps = new LinkedHashMap<>();
    for (String step : child(temp.resolve("whole"), 0)) {
      steps.merge(step, 1, Integer::sum);
    }
    assertThat(steps.keySet())
        .contains("image.resolved", "image.layer.fetched", "image.commit.synced", "image.recorded");
    int walked = 0;
    for (Map.Entry<String, Integer> step : steps.entrySet()) {
      for (int number : List.of(1, step.getValue())) {
        if (number > 1 || step.getValue() == 1 || number < step.getValue()) {
          Path root = temp.resolve("root" + walked++);
          child(root, 137, step.getKey(), Integer.toString(number));
          // What was under way on the wire when the daemon died may be asked for again.
          long kept = 0;
          for (String part : names(root.resolve("ingest"))) {
            kept += Files.size(root.resolve("ingest").resolve(part));
          }
          long there = 0;
          for (String layer : names(root.resolve("layers"))) {
            there += Files.exists(root.resolve("layers").resolve(layer)) ? 1 : 0;
          }
          proxy.forget();
          try (ImageStore store = store(root)) {
            requireWhole(root, store);
          }
          long all = 0;
          for (byte[] layer : image.layers()) {
            all += layer.length;
          }
          String what = step.getKey() + " " + number + ": " + kept + " kept, " + there + " layers";
          if (there == 3) {
            assertThat(asked()).as(what).isZero();
          } else if (there == 0) {
            assertThat(asked()).as(what).isEqualTo(all - kept);
          } else {
            assertThat(asked()).as(what).isLessThanOrEqualTo(all - kept);
          }
        }
      }
    }
    System.out.println("deaths in a pull: " + walked);
  }

  @Test
  void aKeptFrontThatWasDamagedIsFetchedAgain() throws Exception {
    Path root = temp.resolve("root");
    child(root, 137, "image.layer.fetched", "2");
    for (String name : names(root.resolve("ingest"))) {
      Path part = root.resolve("ingest").resolve(name);
      byte[] bytes = Files.readAllBytes(part);
      if (bytes.length == 0) {
        bytes = new byte[1]; // its first piece had not come yet: a byte that no layer begins with
      } else {
        bytes[bytes.length / 2] ^= 1;
      }
      Files.write(part, bytes);
    }
    try (ImageStore store = store(root)) {
      requireWhole(root, store);
    }
  }

  @Test
  void aPullThatWasStoppedGoesOnInTheSameDaemon() throws Exception {
    Path root = temp.resolve("root");
    var dead = new AtomicBoolean(true);
    var sent = new AtomicLong();
    proxy.fault(
        (exchange, answer) -> {
          if (!dead.get() || !exchange.getRequestURI().getPath().contains("/blobs/")) {
            return false;
          }
          var whole = answer.get();
          if (whole.body().length < 1_000_000) {
            return false;
          }
          int count = sent.getAndAdd(1_000_000) >= 2_000_000 ? 0 : 1_000_000;
          FaultProxy.cut(exchange, whole, count);
          return true;
        });
    try (ImageStore store = store(root)) {
      Thread pull =
          Thread.ofPlatform()
              .start(
                  () -> {
                    try {
                      store.pull(PullRequest.of(proxy.host() + "/a/b:1"), PullListener.NONE);
                    } catch (RuntimeException e) {
                      sent.addAndGet(1); // stopped, as the test wants it
                    }
                  });
      Waiting.until("most of two layers is kept", () -> kept(root) >= 1_900_000);
      pull.interrupt();
      pull.join();
      dead.set(false);
      proxy.forget();
      long kept = kept(root);
      requireWhole(root, store);
      assertThat(asked()).isLessThanOrEqualTo(2L * SIZE + 100_000 - kept);
    }
  }

  private static long kept(Path root) throws Exception {
    long kept = 0;
    if (Files.exists(root.resolve("ingest"))) {
      for (String name : names(root.resolve("ingest"))) {
        kept += Files.size(root.resolve("ingest").resolve(name));
      }
    }
    return kept;
  }

  @Test
  void whatNoPullTookUpForADayIsDeleted() throws Exception {
    Path root = temp.resolve("root");
    store(root).close();
    Path old = Files.write(root.resolve("ingest/" + "0".repeat(64) + "-100"), new byte[10]);
    Path young = Files.write(root.resolve("ingest/" + "1".repeat(64) + "-100"), new byte[10]);
    Files.setLastModifiedTime(
        old, java.nio.file.attribute.FileTime.from(Instant.now().minus(Duration.ofHours(25))));
    try (ImageStore store = store(root)) {
      store.collectGarbage();
      assertThat(old).doesNotExist();
      assertThat(young).exists();
    }
  }
}
