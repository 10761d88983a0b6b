package io.jrt.core.plugin;

import io.jrt.core.LinuxResources;

/** Nobody takes part. */
final class NoPlugins implements LifecyclePlugins {
  private static final Hold NOTHING_HELD = () -> {};

  @Override
  public Hold hold() {
    return NOTHING_HELD;
  }

  @Override
  public void runPod(PluginPod pod) {}

  @Override
  public void stopPod(PluginPod pod) {}

  @Override
  public void removePod(PluginPod pod) {}

  @Override
  public void updatePod(PluginPod pod, LinuxResources overhead, LinuxResources resources) {}

  @Override
  public void podUpdated(PluginPod pod) {}

  @Override
  public PluginContainer createContainer(PluginPod pod, PluginContainer container) {
    return container;
  }

  @Override
  public void containerCreated(PluginPod pod, PluginContainer container) {}

  @Override
  public void startContainer(PluginPod pod, PluginContainer container) {}

  @Override
  public void containerStarted(PluginPod pod, PluginContainer container) {}

  @Override
  public LinuxResources updateContainer(
      PluginPod pod, PluginContainer container, LinuxResources resources) {
    return resources;
  }

  @Override
  public void containerUpdated(PluginPod pod, PluginContainer container) {}

  @Override
  public void containerStopped(PluginPod pod, PluginContainer container) {}

  @Override
  public void removeContainer(PluginPod pod, PluginContainer container) {}
}
