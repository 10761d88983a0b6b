package io.jrt.core.device;

import io.jrt.linux.Files;
import java.util.List;

/** The devices of this node that have names: those of CDI specs, and the GPUs found on it. */
public final class NodeDevices {
  private final CdiRegistry registry;
  private final DeviceInjector injector;
  private final GpuDiscovery discovery;

  public NodeDevices(Files files, DeviceSettings settings) {
    discovery = new GpuDiscovery(settings.hostRoot());
    registry =
        new CdiRegistry(
            settings.cdiDirectories(), () -> settings.discover() ? discovery.specs() : List.of());
    injector = new DeviceInjector(files, registry, settings);
  }

  public CdiRegistry registry() {
    return registry;
  }

  public DeviceInjector injector() {
    return injector;
  }

  public GpuDiscovery discovery() {
    return discovery;
  }
}
