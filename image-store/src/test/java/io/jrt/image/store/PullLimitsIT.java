package io.jrt.image.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.image.ImageStore;
import io.jrt.image.ImageStoreConfig;
import io.jrt.image.PullListener;
import io.jrt.image.PullProgress;
import io.jrt.image.PullRequest;
import io.jrt.image.layer.Tars;
import io.jrt.linux.Kernel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The limits of a node, and mirrors that fail in the middle. */
final class PullLimitsIT {
  private static final Kernel KERNEL = Kernel.open();
  private static final int SIZE = 2_000_000;

  @TempDir Path temp;
  private TestRegistry registry;
  private FaultProxy proxy;
  private TestImage image;

  @BeforeEach
  void open() throws Exception {
    registry = TestRegistry.open(temp.resolve("registry"));
    proxy = new FaultProxy(registry.host());
    image = TestImage.of(noise(1), noise(2), noise(3));
    registry.push("a/b", "1", image);
  }

  @AfterEach
  void close() {
    proxy.close();
    registry.close();
  }

  private static byte[] noise(int seed) {
    byte[] noise = new byte[SIZE];
    new Random(seed).nextBytes(noise);
    return new Tars().file("noise" + seed, noise, 0644).bytes();
  }

  private ImageStore store(
      int pulls, int layers, long bytesPerSecond, Duration patience, Optional<Path> yaml) {
    var defaults = ImageStoreConfig.Limits.DEFAULT;
    var limits =
        new ImageStoreConfig.Limits(
            pulls,
            layers,
            defaults.rangeBytes(),
            bytesPerSecond,
            patience,
            defaults.maxLayerBytes(),
            defaults.maxLayerEntries(),
            defaults.maxExpansion(),
            defaults.keepFree());
    var registries = new ImageStoreConfig.Registries(yaml, List.of(), Optional.empty(), List.of());
    return LocalImageStore.open(
        new ImageStoreConfig(temp.resolve("store"), registries, limits, List.of()), KERNEL);
  }

  private static boolean isLayer(com.sun.net.httpserver.HttpExchange exchange, byte[] body) {
    return exchange.getRequestURI().getPath().contains("/blobs/") && body.length > SIZE / 2;
  }

  @Test
  void aMirrorThatDiesInTheMiddleOfALayerIsLeftForTheNextOne() throws Exception {
    var dead = new AtomicBoolean();
    try (var second = new FaultProxy(registry.host())) {
      proxy.fault(
          (exchange, answer) -> {
            if (dead.get()) {
              FaultProxy.status(exchange, 502);
              return true;
            }
            var whole = answer.get();
            if (isLayer(exchange, whole.body())) {
              dead.set(true);
              FaultProxy.cut(exchange, whole, 700_000);
            }
            return false;
          });
      Path yaml =
          Files.writeString(
              temp.resolve("registries.yaml"),
              """
              mirrors:
                example.test:
                  endpoint: ["http://%s", "http://%s"]
              """
                  .formatted(proxy.host(), second.host()));
      try (ImageStore store = store(1, 1, 0, Duration.ofSeconds(5), Optional.of(yaml))) {
        assertThat(store.pull(PullRequest.of("example.test/a/b:1"), PullListener.NONE).id())
            .isEqualTo(image.id());
      }
      assertThat(second.seen())
          .anyMatch(line -> line.contains("/blobs/") && line.matches(".*range=bytes=[1-9]\\d+-.*"));
    }
  }

  @Test
  void aPullWithoutProgressFails() {
    var failed = new CountDownLatch(1);
    proxy.fault(
        (exchange, answer) -> {
          var whole = answer.get();
          if (!isLayer(exchange, whole.body())) {
            return false;
          }
          exchange.sendResponseHeaders(200, whole.body().length);
          Waiting.quietly(failed);
          return true;
        });
    try (ImageStore store = store(1, 3, 0, Duration.ofMillis(200), Optional.empty())) {
      assertThatThrownBy(
              () -> store.pull(PullRequest.of(proxy.host() + "/a/b:1"), PullListener.NONE))
          .isInstanceOfSatisfying(
              JrtException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.UNAVAILABLE));
      assertThat(store.pulls()).isEmpty();
    } finally {
      failed.countDown();
    }
  }

  @Test
  void theBandwidthOfTheNodeIsKept() {
    try (ImageStore store = store(1, 3, 3_000_000, Duration.ofSeconds(9), Optional.empty())) {
      long began = System.nanoTime();
      var speeds = new ArrayList<Long>();
      store.pull(
          PullRequest.of(proxy.host() + "/a/b:1"),
          progress -> speeds.add(progress.bytesPerSecond()));
      // Six megabytes cannot be here sooner, however fast the machine is.
      assertThat(Duration.ofNanos(System.nanoTime() - began))
          .isGreaterThan(Duration.ofMillis(1700));
      assertThat(speeds).anyMatch(speed -> speed > 0);
    }
  }

  @Test
  void oneLayerAtATime() {
    var now = new AtomicInteger();
    var most = new AtomicInteger();
    proxy.fault(
        (exchange, answer) -> {
          var whole = answer.get();
          if (!isLayer(exchange, whole.body())) {
            return false;
          }
          most.accumulateAndGet(now.incrementAndGet(), Math::max);
          FaultProxy.send(exchange, whole);
          now.decrementAndGet();
          return true;
        });
    try (ImageStore store = store(4, 1, 0, Duration.ofSeconds(9), Optional.empty())) {
      store.pull(PullRequest.of(proxy.host() + "/a/b:1"), PullListener.NONE);
    }
    assertThat(most).hasValue(1);
  }

  @Test
  void onePullAtATimeAndTheOthersAreSeenToWait() throws Exception {
    registry.push("a/c", "1", TestImage.of(noise(4)));
    var go = new CountDownLatch(1);
    proxy.fault(
        (exchange, answer) -> {
          if (exchange.getRequestURI().getPath().contains("/a/b/blobs/")) {
            Waiting.quietly(go);
          }
          return false;
        });
    try (ImageStore store = store(1, 4, 0, Duration.ofSeconds(20), Optional.empty())) {
      Thread first = pull(store, "/a/b:1");
      Waiting.until(
          "the first pull fetches",
          () ->
              store.pulls().stream().anyMatch(p -> p.phase() == PullProgress.Phase.FETCHING)
                  || proxy.seen().stream().anyMatch(line -> line.contains("/a/b/blobs/")));
      Thread second = pull(store, "/a/c:1");
      Waiting.until("the second pull is seen", () -> store.pulls().size() == 2);
      PullProgress waiting = store.pulls().getLast();
      assertThat(waiting.reference()).endsWith("/a/c:1");
      assertThat(waiting.phase()).isEqualTo(PullProgress.Phase.QUEUED);
      assertThat(proxy.seen()).noneMatch(line -> line.contains("/a/c/"));
      go.countDown();
      first.join();
      second.join();
      assertThat(store.list()).hasSize(2);
    }
  }

  private Thread pull(ImageStore store, String name) {
    return Thread.ofPlatform()
        .start(() -> store.pull(PullRequest.of(proxy.host() + name), PullListener.NONE));
  }
}
