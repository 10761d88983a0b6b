package io.jrt.it;

import io.jrt.cri.v1.ContainerConfig;
import io.jrt.cri.v1.ExecRequest;
import io.jrt.cri.v1.ExecSyncRequest;
import io.jrt.cri.v1.ListContainersRequest;
import io.jrt.cri.v1.NamespaceMode;
import io.jrt.cri.v1.PodSandboxConfig;
import io.jrt.cri.v1.RemoveContainerRequest;
import io.jrt.cri.v1.RemovePodSandboxRequest;
import io.jrt.cri.v1.StopPodSandboxRequest;
import io.jrt.cri.v1.VersionRequest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * What the hot paths cost: the same CRI calls against jrt and, if one is named, another runtime, in
 * turns and in one run. {@code Bench SOCKET [PEER-SOCKET]}; {@code -Dbench.rounds} says how often.
 */
final class Bench {
  private static final int ROUNDS = Integer.getInteger("bench.rounds", 40);
  private static final int WARM_UP = 10;
  private static final int PARALLEL_PODS = 50;

  /** Whether only the calls of one pod are timed, without pulls and pods in parallel. */
  private static final boolean CALLS_ONLY = Boolean.getBoolean("bench.calls");

  /** Whether only pulls are timed. */
  private static final boolean PULLS_ONLY = Boolean.getBoolean("bench.pulls-only");

  private final Map<String, Map<String, long[]>> samples = new LinkedHashMap<>();
  private final Map<String, Map<String, String>> facts = new LinkedHashMap<>();

  private Bench() {}

  public static void main(String[] arguments) throws Exception {
    Bench bench = new Bench();
    Map<String, Path> sockets = new LinkedHashMap<>();
    sockets.put("jrt", Path.of(arguments[0]));
    if (arguments.length > 1 && !arguments[1].isEmpty()) {
      sockets.put("peer", Path.of(arguments[1].replaceFirst("^unix://", "")));
    }
    Path directory = Files.createTempDirectory("jrt-bench-" + ProcessHandle.current().pid() + "-");
    Map<String, Cri> clients = new LinkedHashMap<>();
    try (LocalRegistry registry = LocalRegistry.start(directory)) {
      String busybox = registry.push("bench/busybox", "1", Workloads.busybox());
      for (Map.Entry<String, Path> socket : sockets.entrySet()) {
        Cri client = new Cri(socket.getValue());
        clients.put(socket.getKey(), client);
        client.pull(busybox);
      }
      for (int round = -WARM_UP; round < ROUNDS && !PULLS_ONLY; round++) {
        for (Map.Entry<String, Cri> client : clients.entrySet()) {
          bench.pod(client.getKey(), client.getValue(), busybox, directory, round);
        }
      }
      String crictl = System.getenv("CRICTL");
      if (crictl != null && !PULLS_ONLY) {
        for (Map.Entry<String, Path> socket : sockets.entrySet()) {
          String who = socket.getKey();
          Cri client = Objects.requireNonNull(clients.get(who));
          bench.fact(
              who,
              "port-forward by crictl, MB/s",
              ForwardBench.megabytesPerSecond(
                  crictl, socket.getValue(), client, busybox, directory));
        }
      }
      if (!CALLS_ONLY) {
        new PullBench(bench::timed, clients).run(registry);
      }
      Map<String, Cri> starting = CALLS_ONLY || PULLS_ONLY ? Map.of() : clients;
      for (Map.Entry<String, Cri> client : starting.entrySet()) {
        bench.parallel(client.getKey(), client.getValue(), busybox, directory);
      }
      bench.print(new ArrayList<>(sockets.keySet()));
    } finally {
      clients.values().forEach(Cri::close);
      new ProcessBuilder("rm", "-rf", directory.toString()).start().waitFor();
    }
  }

  private void pod(String who, Cri cri, String image, Path logs, int round) {
    timed(who, "Version", round, () -> version(cri));
    PodSandboxConfig config =
        Cri.pod("bench" + round + who, NamespaceMode.NODE, logs.resolve(who)).build();
    String[] ids = new String[2];
    timed(who, "RunPodSandbox, host network", round, () -> ids[0] = cri.runPod(config));
    ContainerConfig container = asKubelet(Cri.container("c", image, "sleep", "1000"));
    timed(who, "CreateContainer", round, () -> ids[1] = cri.create(ids[0], config, container));
    timed(who, "StartContainer", round, () -> cri.start(ids[1]));
    for (int i = 0; i < 3; i++) {
      timed(who, "ExecSync", round, () -> exec(cri, ids[1]));
    }
    for (int i = 0; i < 3; i++) {
      timed(who, "Exec by WebSocket, to its end", round, () -> stream(cri, ids[1]));
    }
    timed(
        who,
        "ListContainers",
        round,
        () -> cri.runtime().listContainers(ListContainersRequest.getDefaultInstance()));
    timed(who, "StopContainer, kill", round, () -> cri.stop(ids[1], 0));
    timed(
        who,
        "RemoveContainer",
        round,
        () ->
            cri.runtime()
                .removeContainer(
                    RemoveContainerRequest.newBuilder().setContainerId(ids[1]).build()));
    timed(
        who,
        "StopPodSandbox",
        round,
        () ->
            cri.runtime()
                .stopPodSandbox(
                    StopPodSandboxRequest.newBuilder().setPodSandboxId(ids[0]).build()));
    timed(
        who,
        "RemovePodSandbox",
        round,
        () ->
            cri.runtime()
                .removePodSandbox(
                    RemovePodSandboxRequest.newBuilder().setPodSandboxId(ids[0]).build()));
  }

  /** With a pid namespace of its own, which is what a kubelet asks for by default. */
  private static ContainerConfig asKubelet(ContainerConfig.Builder container) {
    container
        .getLinuxBuilder()
        .getSecurityContextBuilder()
        .getNamespaceOptionsBuilder()
        .setNetwork(NamespaceMode.NODE)
        .setPid(NamespaceMode.CONTAINER);
    return container.build();
  }

  private static void version(Cri cri) {
    cri.runtime().version(VersionRequest.newBuilder().setVersion("0.1.0").build());
  }

  private static void exec(Cri cri, String container) {
    cri.runtime()
        .execSync(
            ExecSyncRequest.newBuilder()
                .setContainerId(container)
                .addCmd("/bin/true")
                .setTimeout(30)
                .build());
  }

  /** As kubectl exec does: a URL, a connection to it, and what comes until it is closed. */
  private void stream(Cri cri, String container) {
    String url =
        cri.runtime()
            .exec(
                ExecRequest.newBuilder()
                    .setContainerId(container)
                    .addCmd("/bin/true")
                    .setStdout(true)
                    .build())
            .getUrl();
    try {
      ThinWebSocket.execToItsEnd(URI.create(url));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void parallel(String who, Cri cri, String image, Path logs)
      throws InterruptedException, ExecutionException, IOException {
    long pssBefore = helperPss();
    List<Future<String>> pods = new ArrayList<>();
    long start = System.nanoTime();
    try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < PARALLEL_PODS; i++) {
        PodSandboxConfig config =
            Cri.pod("many" + i + who, NamespaceMode.NODE, logs.resolve(who)).build();
        pods.add(
            executor.submit(
                () -> {
                  String pod = cri.runPod(config);
                  cri.run(pod, config, asKubelet(Cri.container("c", image, "sleep", "1000")));
                  return pod;
                }));
      }
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    fact(who, "pods/s, 50 in parallel", PARALLEL_PODS / seconds);
    fact(
        who,
        "PSS outside the daemon per pod, kB",
        (helperPss() - pssBefore) / (double) PARALLEL_PODS);
    for (Future<String> pod : pods) {
      cri.removePod(pod.get());
    }
  }

  private void fact(String who, String what, double value) {
    facts.computeIfAbsent(who, name -> new LinkedHashMap<>()).put(what, "%.1f".formatted(value));
  }

  /** The memory of shims and keepers, shared pages divided among their sharers; kB. */
  private static long helperPss() throws IOException {
    long sum = 0;
    for (ProcessHandle process : ProcessHandle.allProcesses().toList()) {
      Path directory = Path.of("/proc/" + process.pid());
      try {
        String comm = Files.readString(directory.resolve("comm")).strip();
        if (comm.startsWith("containerd-shim") || comm.startsWith("jrt-") || comm.equals("pause")) {
          for (String line : Files.readAllLines(directory.resolve("smaps_rollup"))) {
            if (line.startsWith("Pss:")) {
              sum += Long.parseLong(line.replaceAll("[^0-9]", ""));
            }
          }
        }
      } catch (java.nio.file.NoSuchFileException e) {
        sum += 0; // ended while we looked
      }
    }
    return sum;
  }

  private void timed(String who, String what, int round, Runnable action) {
    long start = System.nanoTime();
    action.run();
    long took = System.nanoTime() - start;
    if (round >= 0) {
      Map<String, long[]> mine = samples.computeIfAbsent(what, name -> new LinkedHashMap<>());
      long[] old = mine.getOrDefault(who, new long[0]);
      long[] now = Arrays.copyOf(old, old.length + 1);
      now[old.length] = took;
      mine.put(who, now);
    }
  }

  private void print(List<String> who) {
    StringBuilder head = new StringBuilder("%-42s".formatted("ms: least / median / p95"));
    who.forEach(name -> head.append("%22s".formatted(name)));
    System.out.println(head + (who.size() > 1 ? "%10s".formatted("ratio") : ""));
    for (Map.Entry<String, Map<String, long[]>> row : samples.entrySet()) {
      StringBuilder line = new StringBuilder("%-42s".formatted(row.getKey()));
      List<Double> medians = new ArrayList<>();
      for (String name : who) {
        long[] values = row.getValue().getOrDefault(name, new long[] {0}).clone();
        Arrays.sort(values);
        double median = values[values.length / 2] / 1e6;
        long p95 = values[Math.min(values.length - 1, values.length * 95 / 100)];
        medians.add(median);
        line.append(
            "%22s".formatted("%.1f / %.2f / %.1f".formatted(values[0] / 1e6, median, p95 / 1e6)));
      }
      if (medians.size() > 1) {
        line.append("%9.1fx".formatted(medians.get(1) / medians.get(0)));
      }
      System.out.println(line);
    }
    for (String fact : facts.getOrDefault("jrt", Map.of()).keySet()) {
      StringBuilder line = new StringBuilder("%-42s".formatted(fact));
      who.forEach(
          name ->
              line.append(
                  "%22s".formatted(facts.getOrDefault(name, Map.of()).getOrDefault(fact, "-"))));
      System.out.println(line);
    }
  }
}
