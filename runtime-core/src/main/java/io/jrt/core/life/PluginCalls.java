package io.jrt.core.life;

import io.jrt.core.ContainerState;
import io.jrt.core.LinuxResources;
import io.jrt.core.plugin.LifecyclePlugins;
import io.jrt.core.plugin.PluginContainer;
import io.jrt.core.plugin.PluginPod;
import io.jrt.core.store.ContainerRecord;
import io.jrt.core.store.PodRecord;
import io.jrt.linux.NamespaceKind;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Tells plugins of this daemon's pods and containers, in their own records. */
final class PluginCalls {
  private final LifecyclePlugins plugins;
  private final Inventory inventory;
  private final PodNamespaces namespaces;

  PluginCalls(LifecyclePlugins plugins, Inventory inventory, PodNamespaces namespaces) {
    this.plugins = plugins;
    this.inventory = inventory;
    this.namespaces = namespaces;
  }

  LifecyclePlugins.Hold hold() {
    return plugins.hold();
  }

  PluginPod view(Pod pod) {
    PodRecord record = pod.record();
    Map<String, Path> pinned = new HashMap<>();
    if (pod.isReady()) {
      if (!pod.hostNetwork()) {
        pinned.put("network", namespaces.path(pod.id(), NamespaceKind.NET));
        pinned.put("uts", namespaces.path(pod.id(), NamespaceKind.UTS));
      }
      if (!pod.hostIpc()) {
        pinned.put("ipc", namespaces.path(pod.id(), NamespaceKind.IPC));
      }
      if (pod.hasUserNamespace()) {
        pinned.put("user", namespaces.path(pod.id(), NamespaceKind.USER));
      }
    }
    return new PluginPod(
        record.id(),
        record.config(),
        record.runtimeHandler(),
        record.cgroup(),
        record.ips(),
        pinned);
  }

  PluginContainer view(Container container) {
    return view(container.record(), container.state());
  }

  private static PluginContainer view(ContainerRecord record, ContainerState state) {
    return new PluginContainer(
        record.id(),
        record.podId(),
        record.config(),
        record.process(),
        record.user(),
        record.cdiDevices(),
        record.resources(),
        record.changes().edits(),
        record.changes().rlimits(),
        record.imageId(),
        record.imageRef(),
        record.cgroup(),
        record.createdAt(),
        state);
  }

  List<PluginPod> pods() {
    return inventory.pods().stream().map(this::view).toList();
  }

  List<PluginContainer> containers() {
    return inventory.containers().stream().map(this::view).toList();
  }

  void runPod(Pod pod) {
    plugins.runPod(view(pod));
  }

  void stopPod(Pod pod) {
    plugins.stopPod(view(pod));
  }

  void removePod(Pod pod) {
    plugins.removePod(view(pod));
  }

  void updatePod(Pod pod, LinuxResources overhead, LinuxResources resources) {
    plugins.updatePod(view(pod), overhead, resources);
  }

  void podUpdated(Pod pod) {
    plugins.podUpdated(view(pod));
  }

  /** The container as the plugins want it; what was decided of it so far is in the record. */
  PluginContainer create(Pod pod, ContainerRecord record) {
    return plugins.createContainer(view(pod), view(record, new ContainerState.Created()));
  }

  void created(Pod pod, Container container) {
    plugins.containerCreated(view(pod), view(container));
  }

  void start(Pod pod, Container container) {
    plugins.startContainer(view(pod), view(container));
  }

  void started(Pod pod, Container container) {
    plugins.containerStarted(view(pod), view(container));
  }

  LinuxResources update(Container container, LinuxResources resources) {
    return pod(container)
        .map(pod -> plugins.updateContainer(view(pod), view(container), resources))
        .orElse(resources);
  }

  void updated(Container container) {
    pod(container).ifPresent(pod -> plugins.containerUpdated(view(pod), view(container)));
  }

  void stopped(Container container) {
    pod(container).ifPresent(pod -> plugins.containerStopped(view(pod), view(container)));
  }

  void remove(Container container) {
    pod(container).ifPresent(pod -> plugins.removeContainer(view(pod), view(container)));
  }

  private Optional<Pod> pod(Container container) {
    return inventory.findPod(container.podId());
  }
}
