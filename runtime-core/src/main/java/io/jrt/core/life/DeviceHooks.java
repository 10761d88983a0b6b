package io.jrt.core.life;

import io.jrt.core.device.CdiEdits.Hook.Moment;
import io.jrt.core.device.DeviceInjection.OriginHook;
import io.jrt.core.device.Hooks;
import io.jrt.core.launch.LaunchIo;
import io.jrt.core.launch.LaunchSpec;
import io.jrt.core.launch.LiveContainer;
import io.jrt.core.launch.RootfsGate;
import io.jrt.core.store.Layout;
import java.nio.file.Path;
import java.util.List;

/** The hooks of a container's devices at the moments of its life. */
final class DeviceHooks {
  private final Wiring wiring;
  private final Hooks hooks;
  private final Hooks.State state;
  private final List<OriginHook> asked;

  DeviceHooks(Wiring wiring, Pod pod, Container container, List<OriginHook> asked) {
    this.wiring = wiring;
    this.asked = asked;
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

  /** Launches, with a stop for hooks when there are any to run before the program. */
  LiveContainer start(LaunchSpec spec, LaunchIo io, Path keeperDir) {
    if (asked.isEmpty()) {
      return wiring.launcher().start(spec, io, keeperDir);
    }
    Layout.makeDirectory(wiring.layout().devices(state.id()));
    hooks.prepare(state, asked);
    boolean before =
        asked.stream()
            .map(each -> each.hook().moment())
            .anyMatch(moment -> moment != Moment.POSTSTART && moment != Moment.POSTSTOP);
    return before
        ? wiring
            .launcher()
            .start(
                spec,
                io,
                keeperDir,
                new RootfsGate(hooks.rootfs(), pid -> hooks.beforeRoot(state, asked, pid)))
        : wiring.launcher().start(spec, io, keeperDir);
  }

  /** The program runs. */
  void started(int pid) {
    hooks.started(state, asked, pid);
  }

  /** The container is gone; its boot-scoped directory is not yet. */
  static void ended(Wiring wiring, String containerId) {
    hooks(wiring, containerId).ended();
  }
}
