package io.jrt.image.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.image.Digest;
import io.jrt.image.Image;
import io.jrt.image.ImageStore;
import io.jrt.image.ImageStoreConfig;
import io.jrt.image.PullListener;
import io.jrt.image.PullRequest;
import io.jrt.image.layer.Tars;
import io.jrt.linux.Kernel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A large layer in ranges side by side, from a real registry and from those that serve them ill.
 */
final class RangedLayerIT {
  private static final Kernel KERNEL = Kernel.open();
  private static final int SIZE = 3_000_000;
  private static final int RANGE_BYTES = 1 << 20;
  private static final int BLOCK = RANGE_BYTES / 4;
  private static final Pattern RANGE = Pattern.compile("range=bytes=(\\d+)-(\\d+) ");

  /** What was asked for. */
  private record Range(int from, int to) {
    static Range of(HttpExchange exchange) {
      String text = String.valueOf(exchange.getRequestHeaders().getFirst("Range"));
      Matcher matcher = RANGE.matcher("range=" + text + " ");
      return matcher.find() ? of(matcher) : new Range(0, Integer.MAX_VALUE);
    }

    static Range of(Matcher matcher) {
      return new Range(Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2)) + 1);
    }
  }

  @TempDir static Path shared;
  private static TestRegistry registry;

  @TempDir Path temp;
  private FaultProxy proxy;
  private TestImage image;
  private byte[] layer;

  @BeforeAll
  static void start() throws Exception {
    registry = TestRegistry.open(shared.resolve("registry"));
  }

  @AfterAll
  static void stop() {
    registry.close();
  }

  @BeforeEach
  void open() throws Exception {
    proxy = new FaultProxy(registry.host());
    byte[] noise = new byte[SIZE];
    new Random(7).nextBytes(noise);
    image = TestImage.of(new Tars().file("noise", noise, 0644).bytes());
    layer = image.layers().getFirst();
    registry.push("a/b", "1", image);
  }

  @AfterEach
  void close() {
    proxy.close();
  }

  private ImageStore store(int layers, long bytesPerSecond, Optional<Path> yaml) {
    var defaults = ImageStoreConfig.Limits.DEFAULT;
    var limits =
        new ImageStoreConfig.Limits(
            defaults.parallelPulls(),
            layers,
            RANGE_BYTES,
            bytesPerSecond,
            Duration.ofSeconds(20),
            defaults.maxLayerBytes(),
            defaults.maxLayerEntries(),
            defaults.maxExpansion(),
            defaults.keepFree());
    var registries = new ImageStoreConfig.Registries(yaml, List.of(), Optional.empty(), List.of());
    return LocalImageStore.open(
        new ImageStoreConfig(temp.resolve("store"), registries, limits, List.of()), KERNEL);
  }

  private ImageStore store(int layers) {
    return store(layers, 0, Optional.empty());
  }

  private Image pull(ImageStore store) {
    return store.pull(PullRequest.of(proxy.host() + "/a/b:1"), PullListener.NONE);
  }

  private boolean isLayer(HttpExchange exchange) {
    return exchange.getRequestMethod().equals("GET")
        && exchange.getRequestURI().getPath().endsWith(Digest.sha256(layer).toString());
  }

  private List<String> requests() {
    return proxy.seen().stream()
        .filter(line -> line.startsWith("GET") && line.contains(Digest.sha256(layer).hex()))
        .toList();
  }

  private List<Range> ranges() {
    return requests().stream()
        .map(RANGE::matcher)
        .filter(Matcher::find)
        .map(Range::of)
        .sorted(Comparator.comparingInt(Range::from))
        .toList();
  }

  /** Each byte from one on was asked for once, in ranges. */
  private void requireOnce(int from) {
    assertThat(ranges()).hasSameSizeAs(requests()).hasSizeGreaterThan(4);
    int next = from;
    for (Range range : ranges()) {
      assertThat(range.from()).isEqualTo(next);
      next = range.to();
    }
    assertThat(next).isEqualTo(layer.length);
  }

  private void requireWhole(ImageStore store, Image pulled) throws Exception {
    assertThat(pulled.id()).isEqualTo(image.id());
    Path root = store.prepareSnapshot("k", pulled.id()).lowerDirs().getFirst();
    assertThat(root.resolve("noise")).hasSize(SIZE);
    store.removeSnapshot("k");
    requireNothingLeft();
  }

  private void requireNothingLeft() throws Exception {
    assertThat(temp.resolve("store/ingest")).isEmptyDirectory();
    Waiting.until(
        "what was half-made is deleted",
        () -> {
          try (var left = Files.list(temp.resolve("store/tmp"))) {
            return left.findAny().isEmpty();
          }
        });
  }

  /** Holds answers until so many are under way, and counts how many are at the most. */
  private final class SideBySide implements FaultProxy.Fault {
    private final CountDownLatch wanted;
    private final AtomicInteger now = new AtomicInteger();
    private final AtomicInteger most = new AtomicInteger();

    SideBySide(int wanted) {
      this.wanted = new CountDownLatch(wanted);
    }

    @Override
    public boolean handle(HttpExchange exchange, FaultProxy.Answer answer) throws IOException {
      if (!isLayer(exchange)) {
        return false;
      }
      var whole = answer.get();
      most.accumulateAndGet(now.incrementAndGet(), Math::max);
      wanted.countDown();
      answered(exchange, whole.statusCode(), whole.headers().firstValue("content-range"));
      byte[] body = whole.body();
      exchange.sendResponseHeaders(whole.statusCode(), body.length);
      exchange.getResponseBody().write(body, 0, 1);
      exchange.getResponseBody().flush();
      Waiting.quietly(wanted);
      exchange.getResponseBody().write(body, 1, body.length - 2);
      // Who has the last byte may ask again at once.
      now.decrementAndGet();
      exchange.getResponseBody().write(body, body.length - 1, 1);
      return true;
    }
  }

  private static void answered(HttpExchange exchange, int status, Optional<String> range) {
    if (status == 206) {
      exchange.getResponseHeaders().set("Content-Range", range.orElseThrow());
    }
  }

  /** Answers a range with bytes of the test's own. */
  private void serve(HttpExchange exchange, byte[] bytes, int shift, String total)
      throws IOException {
    Range asked = Range.of(exchange);
    if (asked.to() > bytes.length) {
      exchange.sendResponseHeaders(200, bytes.length);
      exchange.getResponseBody().write(bytes);
      return;
    }
    String range = "bytes " + (asked.from() + shift) + "-" + (asked.to() - 1 + shift) + "/" + total;
    exchange.getResponseHeaders().set("Content-Range", range);
    exchange.sendResponseHeaders(206, asked.to() - asked.from());
    exchange.getResponseBody().write(bytes, asked.from(), asked.to() - asked.from());
  }

  @ParameterizedTest
  @CsvSource({"2", "4", "6"})
  void rangesComeSideBySideAndEachByteOnce(int layers) throws Exception {
    var gate = new SideBySide(layers);
    proxy.fault(gate);
    try (ImageStore store = store(layers)) {
      requireWhole(store, pull(store));
    }
    assertThat(gate.most).hasValue(layers);
    requireOnce(0);
  }

  @Test
  void whereOneLayerComesAtATimeItComesByOneRequest() throws Exception {
    try (ImageStore store = store(1)) {
      requireWhole(store, pull(store));
    }
    assertThat(requests()).singleElement().asString().contains("range=null");
  }

  @Test
  void aSmallLayerComesByOneRequest() throws Exception {
    image = TestImage.of(new Tars().file("noise", new byte[RANGE_BYTES], 0644).bytes());
    layer = image.layers().getFirst();
    registry.push("a/b", "1", image);
    try (ImageStore store = store(6)) {
      assertThat(pull(store).id()).isEqualTo(image.id());
    }
    assertThat(requests()).singleElement().asString().contains("range=null");
  }

  /** Two layers and two connections: ranges take none that a layer waits for. */
  @Test
  void layersAndTheirRangesTogetherKeepToTheLimit() throws Exception {
    byte[] noise = new byte[SIZE];
    new Random(8).nextBytes(noise);
    image =
        TestImage.of(
            new Tars().file("noise", noise, 0644).bytes(),
            new Tars().file("other", noise, 0644).bytes(),
            new Tars().file("third", noise, 0644).bytes());
    registry.push("a/b", "1", image);
    var now = new AtomicInteger();
    var most = new AtomicInteger();
    proxy.fault(
        (exchange, answer) -> {
          if (exchange.getRequestHeaders().getFirst("Range") == null) {
            return false;
          }
          most.accumulateAndGet(now.incrementAndGet(), Math::max);
          var whole = answer.get();
          byte[] body = whole.body();
          answered(exchange, whole.statusCode(), whole.headers().firstValue("content-range"));
          exchange.sendResponseHeaders(whole.statusCode(), body.length);
          exchange.getResponseBody().write(body, 0, body.length - 1);
          now.decrementAndGet();
          exchange.getResponseBody().write(body, body.length - 1, 1);
          return true;
        });
    try (ImageStore store = store(2)) {
      assertThat(pull(store).id()).isEqualTo(image.id());
    }
    assertThat(most.get()).isBetween(1, 2);
  }

  @Test
  void aRegistryWithoutRangesIsReadByTheFirstRequest() throws Exception {
    proxy.fault(
        (exchange, answer) -> {
          if (!isLayer(exchange)) {
            return false;
          }
          exchange.sendResponseHeaders(200, layer.length);
          exchange.getResponseBody().write(layer);
          return true;
        });
    try (ImageStore store = store(6)) {
      requireWhole(store, pull(store));
    }
    assertThat(requests()).hasSize(1);
  }

  @Test
  void aRegistryThatStopsServingRangesIsReadByOneRequestFromThere() throws Exception {
    var served = new AtomicInteger();
    proxy.fault(
        (exchange, answer) -> {
          if (!isLayer(exchange) || served.getAndIncrement() < 5) {
            return false;
          }
          exchange.sendResponseHeaders(200, layer.length);
          exchange.getResponseBody().write(layer);
          return true;
        });
    try (ImageStore store = store(4)) {
      requireWhole(store, pull(store));
    }
    assertThat(requests()).anyMatch(line -> !RANGE.matcher(line).find());
  }

  @ParameterizedTest
  @CsvSource({"0,*", "0,1", "0,9000000", "1,", "-1,"})
  void anAnswerThatIsNotTheRangeAskedForEndsTheRanges(int shift, String total) throws Exception {
    proxy.fault(
        (exchange, answer) -> {
          if (!isLayer(exchange)) {
            return false;
          }
          serve(exchange, layer, shift, total == null ? "" + layer.length : total);
          return true;
        });
    try (ImageStore store = store(4)) {
      requireWhole(store, pull(store));
    }
    assertThat(requests()).hasSize(2).last().asString().contains("range=null");
  }

  @Test
  void aBrokenRangeGoesOnWhereItBroke() throws Exception {
    var cut = new AtomicBoolean();
    proxy.fault(
        (exchange, answer) -> {
          if (isLayer(exchange)
              && Range.of(exchange).from() == 2 * BLOCK
              && cut.compareAndSet(false, true)) {
            FaultProxy.cut(exchange, answer.get(), BLOCK / 2);
          }
          return false;
        });
    try (ImageStore store = store(4)) {
      requireWhole(store, pull(store));
    }
    // What was on the wire when it broke is asked for again, nothing else.
    List<Range> again =
        ranges().stream()
            .filter(range -> range.from() % BLOCK != 0 && range.to() % BLOCK == 0)
            .toList();
    assertThat(again)
        .singleElement()
        .satisfies(
            range -> {
              assertThat(range.from()).isBetween(2 * BLOCK, 2 * BLOCK + BLOCK / 2);
              assertThat(range.to()).isEqualTo(3 * BLOCK);
            });
    assertThat(ranges()).hasSize((layer.length + BLOCK - 1) / BLOCK + 1);
  }

  @Test
  void wrongBytesInARangeAreFetchedAgainInOnePiece() throws Exception {
    proxy.fault(
        (exchange, answer) -> {
          if (!isLayer(exchange) || Range.of(exchange).from() != 4 * BLOCK) {
            return false;
          }
          var wrong = answer.get();
          wrong.body()[100] ^= 1;
          FaultProxy.send(exchange, wrong);
          return true;
        });
    try (ImageStore store = store(4)) {
      requireWhole(store, pull(store));
    }
    assertThat(requests().stream().filter(line -> line.contains("range=null"))).hasSize(1);
  }

  @Test
  void bytesThatStayWrongAreRefusedAndNothingIsLeftOfThem() throws Exception {
    byte[] wrong = layer.clone();
    wrong[4 * BLOCK + 100] ^= 1;
    try (ImageStore store = store(4)) {
      proxy.fault(
          (exchange, answer) -> {
            if (isLayer(exchange)) {
              serve(exchange, wrong, 0, "" + layer.length);
            }
            return isLayer(exchange);
          });
      assertThatThrownBy(() -> pull(store))
          .isInstanceOfSatisfying(
              JrtException.class,
              e -> {
                assertThat(e.kind()).isEqualTo(ErrorKind.DATA_LOSS);
                assertThat(e)
                    .hasMessageContaining(Digest.sha256(layer).toString())
                    .hasMessageContaining(Digest.sha256(wrong).toString());
              });
      assertThat(store.list()).isEmpty();
      requireNothingLeft();
      // Neither connections nor memory were lost by it.
      var gate = new SideBySide(4);
      proxy.fault(gate);
      proxy.forget();
      requireWhole(store, pull(store));
      assertThat(gate.most).hasValue(4);
      requireOnce(0);
    }
  }

  @Test
  void aPullThatIsStoppedLeavesNoConnectionBehind() throws Exception {
    try (ImageStore store = store(4)) {
      var held = new SideBySide(100);
      proxy.fault(held);
      var failures = new CopyOnWriteArrayList<RuntimeException>();
      Thread pull =
          Thread.ofPlatform()
              .start(
                  () -> {
                    try {
                      pull(store);
                    } catch (RuntimeException e) {
                      failures.add(e);
                    }
                  });
      Waiting.until("four ranges are under way", () -> held.now.get() == 4);
      pull.interrupt();
      pull.join(TimeUnit.SECONDS.toMillis(30));
      assertThat(pull.isAlive()).isFalse();
      assertThat(failures)
          .singleElement()
          .isInstanceOfSatisfying(
              JrtException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.CANCELLED));
      while (held.wanted.getCount() > 0) {
        held.wanted.countDown();
      }
      var gate = new SideBySide(4);
      proxy.fault(gate);
      requireWhole(store, pull(store));
      assertThat(gate.most).hasValue(4);
    }
  }

  @Test
  void aMirrorThatDiesAmongRangesIsLeftForTheNextOne() throws Exception {
    var served = new AtomicInteger();
    try (var second = new FaultProxy(registry.host())) {
      proxy.fault(
          (exchange, answer) -> {
            int number = isLayer(exchange) ? served.incrementAndGet() : 0;
            if (number <= 3) {
              return false;
            }
            if (number == 4) {
              FaultProxy.cut(exchange, answer.get(), BLOCK / 2);
            }
            FaultProxy.status(exchange, 404);
            return true;
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
      try (ImageStore store = store(4, 0, Optional.of(yaml))) {
        Image pulled = store.pull(PullRequest.of("example.test/a/b:1"), PullListener.NONE);
        requireWhole(store, pulled);
      }
      assertThat(second.seen().stream().filter(line -> RANGE.matcher(line).find()))
          .hasSizeGreaterThan(4);
      // Not each range asks the dead one first: who served the last is asked for the next.
      assertThat(requests()).hasSizeLessThan(10);
    }
  }

  @Test
  void bytesOfRangesAreCountedAndKeepToTheBandwidth() {
    var fetched = new CopyOnWriteArrayList<Long>();
    try (ImageStore store = store(6, 4_000_000, Optional.empty())) {
      long began = System.nanoTime();
      store.pull(
          PullRequest.of(proxy.host() + "/a/b:1"),
          progress -> progress.layers().forEach(one -> fetched.add(one.fetched())));
      // They cannot be here sooner, however fast the machine is.
      assertThat(Duration.ofNanos(System.nanoTime() - began)).isGreaterThan(Duration.ofMillis(600));
    }
    assertThat(fetched).isSorted().anyMatch(bytes -> bytes > 0 && bytes < layer.length);
    assertThat(fetched.getLast()).isEqualTo(layer.length);
  }

  /** The disk never holds more of a layer than its unbroken front. */
  @Test
  void ofALayerThatIsBrokenOffItsFrontIsKeptAndTheRestAskedFor() throws Exception {
    var go = new CountDownLatch(1);
    var later = new AtomicInteger();
    proxy.fault(
        (exchange, answer) -> {
          if (!isLayer(exchange)) {
            return false;
          }
          var whole = answer.get();
          boolean first = Range.of(exchange).from() == 0;
          if (first) {
            answered(exchange, 206, whole.headers().firstValue("content-range"));
            exchange.sendResponseHeaders(206, whole.body().length);
            exchange.getResponseBody().write(whole.body(), 0, BLOCK / 2);
            exchange.getResponseBody().flush();
            Waiting.quietly(go);
            throw new IOException("cut by the test");
          }
          FaultProxy.send(exchange, whole);
          later.incrementAndGet();
          return true;
        });
    Path root = temp.resolve("store");
    List<String> command =
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--enable-native-access=ALL-UNNAMED",
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "-Djrt.test.range-bytes=" + RANGE_BYTES,
            "-cp",
            System.getProperty("java.class.path"),
            PullChild.class.getName(),
            root.toString(),
            proxy.host() + "/a/b:1");
    Process daemon =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(temp.resolve("child.out").toFile())
            .start();
    byte[] kept;
    try {
      Path part = root.resolve("ingest/" + Digest.sha256(layer).hex() + "-" + layer.length);
      Waiting.until(
          "the front is kept, and ranges beyond it have come",
          () -> later.get() >= 5 && Files.exists(part) && Files.size(part) >= BLOCK / 4);
      daemon.destroyForcibly().waitFor();
      kept = Files.readAllBytes(part);
    } finally {
      daemon.destroyForcibly().waitFor();
      go.countDown();
    }
    assertThat(kept.length).isLessThanOrEqualTo(BLOCK / 2);
    assertThat(kept).isEqualTo(Arrays.copyOf(layer, kept.length));
    proxy.fault((exchange, answer) -> false);
    proxy.forget();
    try (ImageStore store = store(4)) {
      requireWhole(store, pull(store));
    }
    requireOnce(kept.length);
  }
}
