package io.jrt.core.life;

import io.jrt.core.Deadline;
import io.jrt.core.NamespaceMode;
import io.jrt.core.PodConfig;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A daemon's life in a process of its own, from a pod's making to its removal, so that it can be
 * killed at any step: {@code CrashChild <directory> [<lives>]}, with fail-points by system
 * property. With a number of lives it goes on until it is killed from outside.
 */
final class CrashChild {
  private CrashChild() {}

  public static void main(String[] args) throws Exception {
    RuntimeLab lab = new RuntimeLab(Path.of(args[0]));
    lab.open();
    if (args.length > 1) {
      storm(lab, Integer.parseInt(args[1]));
    }
    live(lab);
    lab.failPoints.seen().forEach(name -> System.out.println("step " + name));
    lab.shut();
  }

  /** Lives side by side, each begun again when it ends, until the process is killed. */
  private static void storm(RuntimeLab lab, int lives) throws Exception {
    AtomicInteger number = new AtomicInteger();
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < lives; i++) {
      threads.add(
          Thread.ofVirtual()
              .start(
                  () -> {
                    while (true) {
                      oneOfMany(lab, number.incrementAndGet());
                    }
                  }));
    }
    System.out.println("storm");
    for (Thread thread : threads) {
      thread.join();
    }
  }

  private static void oneOfMany(RuntimeLab lab, int number) {
    Deadline deadline = Deadline.after(Duration.ofMinutes(1));
    PodConfig config;
    synchronized (lab) {
      config = lab.pod(NamespaceMode.POD, NamespaceMode.CONTAINER);
    }
    String pod = lab.runtime().runPod(config, "", deadline);
    String script = "i=0; while [ $i -lt 20 ]; do echo line $i; i=$((i+1)); done; exit 42";
    try {
      lab.awaitExit(lab.start(pod, lab.container("storm" + number, script)));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    lab.start(pod, lab.container("sleeper" + number, "exec sleep 1000"));
    lab.runtime().removePod(pod, deadline);
  }

  /** Every mutating call once, with one container that ends by itself and one that is stopped. */
  static void live(RuntimeLab lab) throws Exception {
    Deadline deadline = Deadline.after(Duration.ofMinutes(1));
    String pod =
        lab.runtime().runPod(lab.pod(NamespaceMode.POD, NamespaceMode.CONTAINER), "", deadline);
    String ends = lab.start(pod, lab.container("ends", "echo one; echo two; exit 42"));
    lab.awaitExit(ends);
    String stays = lab.start(pod, lab.container("stays", "echo up; exec sleep 1000"));
    lab.awaitLog("stays", "up");
    lab.runtime().stopContainer(stays, Duration.ofMillis(50), deadline);
    lab.runtime().removeContainer(ends, deadline);
    lab.runtime().stopPod(pod, deadline);
    lab.runtime().removePod(pod, deadline);
  }
}
