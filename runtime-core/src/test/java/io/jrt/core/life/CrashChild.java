package io.jrt.core.life;

import io.jrt.core.Deadline;
import io.jrt.core.NamespaceMode;
import io.jrt.core.op.FailPoints;
import java.nio.file.Path;
import java.time.Duration;

/**
 * A daemon's life in a process of its own, from a pod's making to its removal, so that it can be
 * killed at any step: {@code CrashChild <directory>}, with fail-points by system property.
 */
final class CrashChild {
  private CrashChild() {}

  public static void main(String[] args) throws Exception {
    RuntimeLab lab = new RuntimeLab(Path.of(args[0]), FailPoints.fromSystemProperty(), false);
    lab.open();
    live(lab);
    lab.failPoints.seen().forEach(name -> System.out.println("step " + name));
    lab.shut();
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
