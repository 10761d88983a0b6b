package io.jrt.core.plugin;

import io.jrt.core.LinuxResources;
import io.jrt.errors.JrtException;

/**
 * Programs beside the daemon that take part in the lives of pods and containers, as NRI has them.
 *
 * <p>What {@code run}, {@code create}, {@code start} and {@code update} throw ends the operation,
 * and is a {@link JrtException} that names the plugin. The others have happened, or will happen
 * whatever a plugin says: they throw nothing. Each call takes a bounded time.
 */
public interface LifecyclePlugins {
  /** Nobody. */
  LifecyclePlugins NONE = new NoPlugins();

  /**
   * Held from before a pod or container is told of until it can be listed: a plugin that comes
   * meanwhile hears of it in the list or by a call, never not at all. Closed by the same thread.
   */
  Hold hold();

  /** See {@link #hold}. */
  interface Hold extends AutoCloseable {
    @Override
    void close();
  }

  /** A pod stands, but nobody sees it yet. */
  void runPod(PluginPod pod);

  /** Its containers have ended; its network and namespaces stand. */
  void stopPod(PluginPod pod);

  void removePod(PluginPod pod);

  void updatePod(PluginPod pod, LinuxResources overhead, LinuxResources resources);

  void podUpdated(PluginPod pod);

  /**
   * A container is being made.
   *
   * @return the same, or as the plugins want it
   */
  PluginContainer createContainer(PluginPod pod, PluginContainer container);

  void containerCreated(PluginPod pod, PluginContainer container);

  void startContainer(PluginPod pod, PluginContainer container);

  void containerStarted(PluginPod pod, PluginContainer container);

  /**
   * The limits of a container are to be changed.
   *
   * @return the limits as the plugins want them
   */
  LinuxResources updateContainer(
      PluginPod pod, PluginContainer container, LinuxResources resources);

  void containerUpdated(PluginPod pod, PluginContainer container);

  /** It has ended, by itself or not. */
  void containerStopped(PluginPod pod, PluginContainer container);

  void removeContainer(PluginPod pod, PluginContainer container);
}
