package io.jrt.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.jrt.cri.v1.ListPodSandboxRequest;
import io.jrt.cri.v1.NamespaceMode;
import io.jrt.cri.v1.PodSandboxConfig;
import io.jrt.cri.v1.PodSandboxStatusRequest;
import io.jrt.cri.v1.PortMapping;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Pods come and go side by side while the daemon is killed at any moment, with either provider.
 * Afterwards no network namespace, no interface, no address and no rule of theirs may be left.
 *
 * <p>A few dozens of pods in {@code make test}, 500 by {@code -Djrt.fault=full}. All of it happens
 * in a network namespace of the test's own, which plays the host.
 */
@Timeout(3600)
class ChurnIT {
  private static final boolean FULL = System.getProperty("jrt.fault", "").equals("full");
  private static final int PODS = FULL ? 500 : 30;
  private static final int KILLS = FULL ? 20 : 3;
  private static final int LANES = 4;
  private static final int FIRST_PORT = 43_100;
  private static final String BRIDGE = "cni-churn";

  private final long seed = Long.getLong("jrt.seed", System.nanoTime());
  private final AtomicInteger pods = new AtomicInteger();
  private final AtomicInteger kills = new AtomicInteger();
  private final AtomicInteger broken = new AtomicInteger();
  private final Set<String> addresses = ConcurrentHashMap.newKeySet();
  private final Set<String> sandboxes = ConcurrentHashMap.newKeySet();

  /** Held for reading by each attempt of a call, for writing while the daemon is replaced. */
  private final ReentrantReadWriteLock alive = new ReentrantReadWriteLock();

  /** Whether there will be no further daemon. */
  private volatile boolean over;

  @TempDir private Path directory;
  private OwnNetwork host;
  private @Nullable Daemon started;

  @BeforeEach
  void makeHost() throws IOException {
    host = OwnNetwork.make(directory.resolve("host"));
  }

  @AfterEach
  void removeHost() throws IOException {
    try {
      if (started != null) {
        started.close();
      }
    } finally {
      host.close();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"bridge", "cni"})
  void podsAndDaemonsDieAndNothingOfTheirNetworkIsLeft(String provider) throws Exception {
    System.out.println("seed " + seed);
    started =
        Daemon.startIn(
            host,
            Daemon.newHome(),
            provider.equals("cni") ? cni() : "[network.bridge]\nsubnets = [\"10.231.0.0/24\"]\n");
    List<Future<?>> lanes = new ArrayList<>();
    try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int lane = 0; lane < LANES; lane++) {
        int number = lane;
        lanes.add(
            executor.submit(
                () -> {
                  liveAndDie(number);
                  return null;
                }));
      }
      killNowAndThen(lanes);
    }
    for (Future<?> lane : lanes) {
      try {
        lane.get();
      } catch (ExecutionException e) {
        throw new AssertionError("seed " + seed + "; the daemon said: " + daemon().output(), e);
      }
    }
    assertThat(
            daemon()
                .cri()
                .runtime()
                .listPodSandbox(ListPodSandboxRequest.getDefaultInstance())
                .getItemsList())
        .isEmpty();
    assertThat(Remains.of(daemon(), "")).isEmpty();
    awaitNothing(provider);
    System.out.printf(
        "%s: %d pods came and went, %d daemons killed, %d calls broken off; nothing left%n",
        provider, pods.get(), kills.get(), broken.get());
  }

  private Daemon daemon() {
    return Objects.requireNonNull(started);
  }

  private void killNowAndThen(List<Future<?>> lanes) {
    Random random = new Random(seed);
    try {
      while (lanes.stream().noneMatch(Future::isDone) && (FULL || kills.get() < KILLS)) {
        Daemon.sleep(FULL ? 500 + random.nextInt(4000) : random.nextInt(1000));
        replace();
      }
    } catch (RuntimeException e) {
      over = true;
      throw e;
    }
  }

  private void liveAndDie(int lane) {
    for (int i = 0; pods.get() < PODS || kills.get() < KILLS; i++) {
      PodSandboxConfig.Builder pod =
          Cri.pod("churn-" + lane + "-" + i, NamespaceMode.POD, daemon().home().resolve("logs"));
      if (i % 2 == 0) {
        pod.addPortMappings(
            PortMapping.newBuilder().setContainerPort(80).setHostPort(FIRST_PORT + lane));
      }
      PodSandboxConfig config = pod.build();
      String id = insist(() -> daemon().cri().runPod(config));
      sandboxes.add(id);
      String address =
          insist(
              () ->
                  daemon()
                      .cri()
                      .runtime()
                      .podSandboxStatus(
                          PodSandboxStatusRequest.newBuilder().setPodSandboxId(id).build())
                      .getStatus()
                      .getNetwork()
                      .getIp());
      assertThat(address).isNotEmpty();
      assertThat(addresses.add(address)).as("%s is given once", address).isTrue();
      addresses.remove(address);
      insist(
          () -> {
            daemon().cri().removePod(id);
            return true;
          });
      pods.incrementAndGet();
    }
  }

  private void replace() {
    // Not held while it is killed: calls must be under way then.
    daemon().kill();
    alive.writeLock().lock();
    try {
      daemon().restart();
      kills.incrementAndGet();
    } finally {
      alive.writeLock().unlock();
    }
  }

  /** The call, made again whenever the daemon went away under it. */
  private <T> T insist(Supplier<T> call) {
    while (true) {
      try {
        return call.get();
      } catch (StatusRuntimeException e) {
        Status.Code code = e.getStatus().getCode();
        boolean wentAway = code == Status.Code.UNAVAILABLE || code == Status.Code.CANCELLED;
        assertThat(wentAway && !over).as("%s", e.getMessage()).isTrue();
      } catch (RejectedExecutionException e) {
        assertThat(over).as("the client was closed by the time of the call, for good").isFalse();
      }
      broken.incrementAndGet();
      awaitDaemon();
    }
  }

  private void awaitDaemon() {
    Daemon.sleep(20);
    alive.readLock().lock();
    try {
      assertThat(over).isFalse();
    } finally {
      alive.readLock().unlock();
    }
  }

  /** The kernel takes interfaces away with a delay of its own. */
  private void awaitNothing(String provider) throws IOException {
    long end = System.nanoTime() + Duration.ofSeconds(30).toNanos();
    List<String> left = left(provider);
    while (!left.isEmpty() && System.nanoTime() < end) {
      Daemon.sleep(100);
      left = left(provider);
    }
    assertThat(left).as("seed %d", seed).isEmpty();
  }

  private List<String> left(String provider) throws IOException {
    List<String> left = new ArrayList<>();
    for (String line : host.run("ip", "-o", "link", "show", "type", "veth").split("\n")) {
      if (!line.isBlank()) {
        left.add("interface " + line);
      }
    }
    String rules = host.run("nft", "list", "ruleset");
    rules.lines().filter(line -> line.contains("elements = ")).forEach(left::add);
    for (String sandbox : sandboxes) {
      rules.lines().filter(line -> line.contains(sandbox)).forEach(left::add);
    }
    for (int lane = 0; lane < LANES; lane++) {
      String port = "dport " + (FIRST_PORT + lane);
      rules.lines().filter(line -> line.contains(port)).forEach(left::add);
    }
    if (provider.equals("cni")) {
      for (Path place :
          List.of(
              directory.resolve("ipam/churn"),
              directory.resolve("cache/results"),
              daemon().home().resolve("root/network/cni"))) {
        if (Files.isDirectory(place)) {
          try (Stream<Path> files = Files.list(place)) {
            files
                .filter(file -> !file.getFileName().toString().matches("last_reserved_ip.*|lock"))
                .forEach(file -> left.add("file " + file));
          }
        }
      }
    }
    return left;
  }

  private String cni() throws IOException {
    Path conf = Files.createDirectories(directory.resolve("net.d"));
    Files.writeString(
        conf.resolve("10-churn.conflist"),
        """
        {
          "cniVersion": "1.0.0",
          "name": "churn",
          "plugins": [
            {
              "type": "bridge",
              "bridge": "%s",
              "isGateway": true,
              "ipMasq": true,
              "ipam": {
                "type": "host-local",
                "dataDir": "%s",
                "ranges": [[{"subnet": "10.231.0.0/24"}]],
                "routes": [{"dst": "0.0.0.0/0"}]
              }
            },
            {"type": "portmap", "capabilities": {"portMappings": true}}
          ]
        }
        """
            .formatted(BRIDGE, directory.resolve("ipam")));
    return """
    [network]
    provider = "cni"
    [network.cni]
    conf-dirs = ["%s"]
    bin-dirs = ["%s"]
    cache-dir = "%s"
    """
        .formatted(
            conf,
            System.getProperty("critest.cni-bin", "/usr/lib/cni"),
            directory.resolve("cache"));
  }
}
