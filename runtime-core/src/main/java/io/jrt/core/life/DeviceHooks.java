package io.jrt.core.life;

import io.jrt.core.device.CdiEdits.Hook.Moment;
import io.jrt.core.device.DeviceInjection;
import io.jrt.core.device.Hooks;
import io.jrt.core.launch.LaunchIo;
import io.jrt.core.launch.LaunchSpec;
import io.jrt.core.launch.LiveContainer;
import io.jrt.core.launch.RootfsGate;
import io.jrt.core.store.Layout;
import java.nio.file.Path;
import java.util.Set;

/** What devices want done at the moments of a container's life. */
final class DeviceHooks {
  private static final Set<Moment> AFTER_START = Set.of(Moment.POSTSTART, Moment.POSTSTOP);

  private final Wiring wiring;
  private final Borrowings borrowings;
  private final Hooks hooks;
  private final Hooks.State state;
  private final DeviceInjection injection;

  DeviceHooks(
      Wiring wiring,
      Borrowings borrowings,
      Pod pod,
      Container container,
      DeviceInjection injection) {
    this.wiring = wiring;
    this.borrowings = borrowings;
    this.injection = injection;
    this.hooks = hooks(wiring, container.id());
    this.state =
        new Hooks.State(
            container.id(),
            container.record().config().annotations(),
            pod.record().config().hostname());
  }

  private static Hooks hooks(Wiring wiring, String containerId) {
    return new Hooks(wiring.layout().devices(containerId), wiring.jrtInit());
  }

  /** Launches, with a stop before the program when there is anything to be done there. */
  LiveContainer start(LaunchSpec spec, LaunchIo io, Path keeperDir) {
    if (!injection.hooks().isEmpty() || injection.intelRdt().isPresent()) {
      Layout.makeDirectory(wiring.layout().devices(state.id()));
      hooks.prepare(state, injection.hooks());
    }
    boolean stop =
        injection.intelRdt().isPresent()
            || injection.hooks().stream()
                .anyMatch(each -> !AFTER_START.contains(each.hook().moment()));
    return stop
        ? wiring.launcher().start(spec, io, keeperDir, gate())
        : wiring.launcher().start(spec, io, keeperDir);
  }

  private RootfsGate gate() {
    return new RootfsGate(
        hooks.rootfs(),
        pid -> {
          borrowings.enter(state.id(), injection, pid);
          hooks.beforeRoot(state, injection.hooks(), pid);
        },
        hooks.inside(state, injection.hooks()),
        hooks.stateInside(state));
  }

  /** The program runs. */
  void started(int pid) {
    hooks.started(state, injection.hooks(), pid);
  }

  /** The container is gone; its boot-scoped directory is not yet. */
  static void ended(Wiring wiring, String containerId) {
    hooks(wiring, containerId).ended();
  }
}
