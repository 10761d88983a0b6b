package io.jrt.core.life;

import io.jrt.core.LinuxResources;
import io.jrt.core.NamespaceMode;
import io.jrt.core.PodConfig;
import io.jrt.core.launch.Adopted;
import io.jrt.core.launch.LiveContainer;
import io.jrt.core.launch.NamespacePlan;
import io.jrt.core.launch.NamespaceSource;
import io.jrt.core.launch.PodInitLabel;
import io.jrt.core.op.Operation;
import io.jrt.core.store.Layout;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Fd;
import io.jrt.linux.NamespaceKind;
import io.jrt.linux.Signals;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.BiConsumer;

/**
 * The first processes of shared pid namespaces: one for each pod whose containers see each other.
 *
 * <p>A pod that asks for such a namespace gets the process when it is run; one whose container asks
 * for it although the pod did not, when that container starts.
 */
final class PodInits {
  private final Wiring wiring;
  private final PodNamespaces namespaces;
  private final BiConsumer<Pod, String> lost;

  /**
   * @param lost is told of a pod whose namespace ended by itself, and why
   */
  PodInits(Wiring wiring, PodNamespaces namespaces, BiConsumer<Pod, String> lost) {
    this.wiring = wiring;
    this.namespaces = namespaces;
    this.lost = lost;
  }

  /** Whether the containers of such a pod share a pid namespace unless they say otherwise. */
  static boolean wanted(PodConfig config) {
    return config.security().namespaces().pid() == NamespaceMode.POD;
  }

  /**
   * The running first process of the pod's pid namespace, started if there was none yet.
   *
   * @throws JrtException FAILED_PRECONDITION when it has ended: the namespace is gone with it
   */
  LiveContainer ensure(Operation operation, Pod pod) {
    pod.lock().lock();
    try {
      Optional<LiveContainer> running = pod.init().filter(init -> init.exit().isEmpty());
      if (running.isPresent()) {
        return running.get();
      }
      if (pod.init().isPresent()) {
        throw new JrtException(
            ErrorKind.FAILED_PRECONDITION,
            "start pod init",
            "the shared pid namespace of pod %s has ended".formatted(pod.id()));
      }
      operation.step("start pod init");
      LiveContainer init = start(pod);
      hold(pod, init);
      return init;
    } finally {
      pod.lock().unlock();
    }
  }

  private LiveContainer start(Pod pod) {
    String cgroup = wiring.cgroups().childPath(pod.record().cgroup(), pod.id());
    wiring.cgroups().createContainer(cgroup, LinuxResources.NONE, List.of());
    try {
      return start(pod, cgroup);
    } catch (RuntimeException | OutOfMemoryError e) {
      // Its keeper may have been ended when the process was there already.
      try {
        removeCgroup(cgroup);
      } catch (RuntimeException again) {
        e.addSuppressed(again);
      }
      throw e;
    }
  }

  private LiveContainer start(Pod pod, String cgroup) {
    Path directory = Layout.makeDirectory(wiring.layout().podInit(pod.id()));
    try (LaunchPlan plan = new LaunchPlan()) {
      Optional<Fd> user = namespaces.open(pod, NamespaceKind.USER).map(plan::own);
      NamespacePlan wanted =
          new NamespacePlan(
              user.<NamespaceSource>map(NamespaceSource.Join::new).orElse(NamespaceSource.HOST),
              NamespaceSource.NEW,
              NamespaceSource.HOST,
              NamespaceSource.HOST,
              NamespaceSource.HOST,
              NamespaceSource.HOST);
      LiveContainer init =
          wiring
              .cgroups()
              .place(
                  cgroup,
                  placement ->
                      wiring
                          .launcher()
                          .startPodInit(
                              wanted,
                              placement,
                              directory,
                              new PodInitLabel(
                                  pod.record().labels().process(), pod.record().labels().mount())));
      wiring.cgroups().settle(cgroup, init.keeperPid());
      return init;
    }
  }

  /** With whoever is in it, known or not. */
  private void removeCgroup(String cgroup) {
    wiring.cgroups().killAll(cgroup);
    wiring.cgroups().remove(cgroup);
  }

  /** Holds a process that was started, and notices its end. */
  void hold(Pod pod, LiveContainer init) {
    pod.init(init);
    init.onExit(_ -> lost.accept(pod, "the first process of its pid namespace ended"));
  }

  /** Ends a pod's process, and with it all others of its namespace; no error when there is none. */
  void end(Pod pod) {
    pod.lock().lock();
    try {
      Optional<LiveContainer> init = pod.init();
      if (init.isPresent()) {
        end(init.get());
        pod.init(null);
      }
      Layout.removeDirectory(wiring.layout().podInit(pod.id()));
      removeCgroup(wiring.cgroups().childPath(pod.record().cgroup(), pod.id()));
    } finally {
      pod.lock().unlock();
    }
  }

  /** Ends the process that a daemon which died may have left to a pod that nobody knows. */
  void discard(String podId) {
    Path directory = wiring.layout().podInit(podId);
    if (!Files.isDirectory(directory)) {
      return;
    }
    if (wiring.launcher().adopt(directory) instanceof Adopted.Held(var init)) {
      end(init);
    }
    Layout.removeDirectory(directory);
  }

  private void end(LiveContainer process) {
    process.kill(Signals.SIGKILL);
    try {
      Duration patience = wiring.config().killPatience();
      if (process.awaitExit(patience).isEmpty()) {
        throw new JrtException(
            ErrorKind.UNAVAILABLE,
            "end pod init",
            "process %d does not die of SIGKILL within %s".formatted(process.pid(), patience));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new JrtException(ErrorKind.CANCELLED, "end pod init", "interrupted", e);
    }
    process.acknowledge();
    process.close();
  }
}
