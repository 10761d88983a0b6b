package io.jrt.core.life;

import io.jrt.core.Bytes;
import io.jrt.core.Deadline;
import io.jrt.core.NamespaceMode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How long each call takes with a warm daemon; prints medians and the 95th percentile. */
@Timeout(300)
class LatencyIT {
  private static final int WARM_UP = 20;
  private static final int ROUNDS = 60;
  private static final Deadline LATER = Deadline.after(Duration.ofMinutes(10));

  private final Map<String, List<Long>> times = new TreeMap<>();

  @Test
  void latencies() throws Exception {
    try (RuntimeLab lab = new RuntimeLab()) {
      for (int i = 0; i < WARM_UP + ROUNDS; i++) {
        if (i == WARM_UP) {
          times.clear();
        }
        round(lab);
      }
    }
    times.forEach(
        (name, all) -> {
          Collections.sort(all);
          System.out.printf(
              "%-28s p50 %6.2f ms  p95 %6.2f ms  min %6.2f ms%n",
              name,
              all.get(all.size() / 2) / 1e6,
              all.get(all.size() * 95 / 100) / 1e6,
              all.getFirst() / 1e6);
        });
  }

  private void round(RuntimeLab lab) throws Exception {
    var runtime = lab.runtime();
    var config = lab.pod(NamespaceMode.NODE, NamespaceMode.CONTAINER);
    String pod = time("RunPodSandbox (host network)", () -> runtime.runPod(config, "", LATER));
    var container = lab.container("c", "sleep 1000");
    String id = time("CreateContainer", () -> runtime.createContainer(pod, container, LATER));
    time("StartContainer", () -> start(lab, id));
    time(
        "ExecSync",
        () -> runtime.execSync(id, Bytes.listOf(List.of("/bin/true")), RuntimeLab.SOON));
    time("StopContainer (kill)", () -> stop(lab, id));
    runtime.removePod(pod, LATER);
    var own = lab.pod(NamespaceMode.POD, NamespaceMode.CONTAINER);
    String second = time("RunPodSandbox (own network)", () -> runtime.runPod(own, "", LATER));
    time("RemovePodSandbox", () -> remove(lab, second));
  }

  private static boolean start(RuntimeLab lab, String id) {
    lab.runtime().startContainer(id, LATER);
    return true;
  }

  private static boolean stop(RuntimeLab lab, String id) {
    lab.runtime().stopContainer(id, Duration.ZERO, LATER);
    return true;
  }

  private static boolean remove(RuntimeLab lab, String id) {
    lab.runtime().removePod(id, LATER);
    return true;
  }

  private interface Call<T> {
    T run() throws Exception;
  }

  private <T> T time(String name, Call<T> call) throws Exception {
    long began = System.nanoTime();
    T result = call.run();
    times.computeIfAbsent(name, _ -> new ArrayList<>()).add(System.nanoTime() - began);
    return result;
  }
}
